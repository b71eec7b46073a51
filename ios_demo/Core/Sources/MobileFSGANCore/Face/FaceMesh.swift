import Foundation

/// The 468 landmarks of the face mesh (arXiv:1907.06724): from raw output to five points and crops.
///
/// The app finds faces with Vision; this is for parity with the other apps.
public enum FaceMesh {
  /// Landmarks of a face.
  public static let count = 468
  /// Left as seen in the picture first: mean of an eye's corners and lids, tip of the nose, corners
  /// of the mouth.
  private static let five = [[33, 133, 159, 145], [362, 263, 386, 374], [1], [61], [291]]

  /// Outline of the face, in order, from the middle of the forehead clockwise as seen.
  public static let oval = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
  ]
  /// Inner edge of the lips, in order.
  public static let mouth = [
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
  ]

  /// The landmarks in the model's raw output.
  ///
  /// - Parameters:
  ///   - raw: x, y and z of each landmark, in pixels of the view.
  ///   - logit: of there being a face.
  ///   - crop: picture to unit square.
  ///   - size: edge of the view in pixels.
  /// - Returns: landmarks in pixels of the picture, and a score of 0 to 1.
  public static func decode(
    raw: [Float], logit: Double, crop: Matrix, size: Int
  ) -> (mesh: [Point], score: Double) {
    precondition(raw.count == count * 3, "x, y and z of \(count) landmarks")
    let back = view(of: crop, size: size).inverse
    let mesh = (0..<count).map {
      back.apply(Point(x: Double(raw[3 * $0]) - 0.5, y: Double(raw[3 * $0 + 1]) - 0.5))
    }
    return (mesh, 1 / (1 + exp(-logit)))
  }

  /// The five points of the manifest's template.
  public static func fivePoints(of mesh: [Point]) -> [Point] {
    five.map { landmarks in mean(of: landmarks.map { mesh[$0] }) }
  }
}

import Foundation

/// The 468 landmarks of the face mesh (arXiv:1907.06724): from raw output to five points and crops.
///
/// The app finds faces with Vision; this is for parity with the other apps.
public enum FaceMesh {
  /// Landmarks of a face.
  public static let count = 468
  /// The crop is that many times the face, as the mesh was trained.
  private static let margin = 1.5
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

  /// A crop to the unit square as one to `size` pixels, whose centres lie at the integers.
  public static func view(of crop: Matrix, size: Int) -> Matrix {
    let scale = Double(size)
    return Matrix(scale, 0, -0.5, 0, scale, -0.5).after(crop)
  }

  /// The five points of the manifest's template.
  public static func fivePoints(of mesh: [Point]) -> [Point] {
    five.map { landmarks in mean(of: landmarks.map { mesh[$0] }) }
  }

  /// The crop that a face with these landmarks belongs in: upright, in the middle of a unit square.
  public static func crop(of mesh: [Point]) -> Matrix {
    let points = fivePoints(of: mesh)
    let upright = upright(points[0], points[1])
    let turned = mesh.map(upright.apply)
    let (xs, ys) = (turned.map(\.x), turned.map(\.y))
    guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max()
    else { return upright }
    let middle = Point(x: (left + right) / 2, y: (top + bottom) / 2)
    return around(upright, middle, max(right - left, bottom - top))
  }

  /// The crop that a detector's box and eyes call for.
  public static func crop(of candidate: Candidate) -> Matrix {
    let upright = upright(candidate.leftEye, candidate.rightEye)
    return around(upright, upright.apply(candidate.centre), candidate.side)
  }

  /// A crop turned and enlarged about the middle of the unit square.
  public static func turned(_ crop: Matrix, angleDeg: Double, zoom: Double) -> Matrix {
    let angle = angleDeg * .pi / 180
    let (c, s) = (zoom * cos(angle), zoom * sin(angle))
    let half = 0.5
    return Matrix(c, -s, half - half * (c - s), s, c, half - half * (s + c)).after(crop)
  }

  /// The turn that brings the eyes level.
  private static func upright(_ left: Point, _ right: Point) -> Matrix {
    let (dx, dy) = (right.x - left.x, right.y - left.y)
    let length = max(1e-9, (dx * dx + dy * dy).squareRoot())
    return Matrix(dx / length, dy / length, 0, -dy / length, dx / length, 0)
  }

  private static func around(_ upright: Matrix, _ middle: Point, _ side: Double) -> Matrix {
    let scale = 1 / (margin * max(side, 1))
    return Matrix(scale, 0, 0.5 - middle.x * scale, 0, scale, 0.5 - middle.y * scale).after(upright)
  }
}

import Foundation

/// A camera frame to measure with: a golden sample's aligned face in the middle of 640 x 480 grey
/// pixels, as the web demo has it.
public struct TestFrame: Sendable {
  /// 640 x 480.
  public let picture: Picture
  /// Where the face is. Detectors may see it a little elsewhere, or not at all.
  public let face: FoundFace

  /// - Parameter target: aligned face, size x size RGB.
  /// - Throws: `AppError` where the face does not fit into the frame.
  init(_ target: [UInt8], align: Manifest.Align) throws {
    let (width, height) = (640, 480)
    let size = align.size
    guard size <= height, target.count == size * size * 3 else {
      throw AppError(.otherSize("\(target.count)", "\(size * size * 3)"))
    }
    let (left, top) = ((width - size) / 2, (height - size) / 2)
    var data = [UInt8](repeating: 96, count: width * height * 3)
    for y in 0..<size {
      let at = ((top + y) * width + left) * 3
      data.replaceSubrange(at..<at + size * 3, with: target[y * size * 3..<(y + 1) * size * 3])
    }
    picture = Picture(data: data, width: width, height: height)
    // About the part of the template that a face covers.
    let (middle, radius) = (Double(size) / 2, Double(size) * 0.4)
    let oval = (0..<16).map { step in
      let angle = Double(step) * .pi / 8
      return Point(x: middle + 0.8 * radius * cos(angle), y: middle + radius * sin(angle))
    }
    func moved(_ point: Point) -> Point {
      Point(x: point.x + Double(left), y: point.y + Double(top))
    }
    face = FoundFace(points: align.template.map(moved), outline: oval.map(moved))
  }
}

/// A face finder for the benchmark. It takes the picture before the clock starts, because a camera
/// delivers its pictures in the format of the finder.
public protocol FrameFinder: Sendable {
  /// - Returns: a function that finds the largest face of `picture`; nil if there is none.
  func finder(for picture: Picture) throws -> @Sendable () throws -> FoundFace?
}

import Foundation

/// The crops that the face mesh looks at: from a picture to a unit square.
extension FaceMesh {
  /// The crop is that many times the face, as the mesh was trained.
  private static let margin = 1.5

  /// A crop to the unit square as one to `size` pixels, whose centres lie at the integers.
  public static func view(of crop: Matrix, size: Int) -> Matrix {
    let scale = Double(size)
    return Matrix(scale, 0, -0.5, 0, scale, -0.5).after(crop)
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

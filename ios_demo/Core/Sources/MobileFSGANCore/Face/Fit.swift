/// The rotation, uniform scale and shift that best map `points` onto `template`.
///
/// Least squares in the four unknowns of a similarity transform; it never mirrors. The same as
/// `similarity` in pipeline/faces/align.py.
///
/// - Parameters:
///   - points: at least two.
///   - template: as many.
/// - Returns: points to template. Its determinant is 0 where all points are one.
public func fitSimilarity(_ points: [Point], to template: [Point]) -> Matrix {
  precondition(points.count == template.count && !points.isEmpty, "as many points as the template")
  let (middle, goal) = (mean(of: points), mean(of: template))
  var (along, across, spread) = (0.0, 0.0, 0.0)
  for (point, wanted) in zip(points, template) {
    let (x, y) = (point.x - middle.x, point.y - middle.y)
    let (u, v) = (wanted.x - goal.x, wanted.y - goal.y)
    along += x * u + y * v
    across += x * v - y * u
    spread += x * x + y * y
  }
  // u = a x - b y and v = b x + a y about the middles: the normal equations of a and b are apart.
  let (a, b) = (along / max(spread, 1e-12), across / max(spread, 1e-12))
  return Matrix(
    a, -b, goal.x - (a * middle.x - b * middle.y), b, a, goal.y - (b * middle.x + a * middle.y))
}

func mean(of points: [Point]) -> Point {
  let sum = points.reduce(Point(x: 0, y: 0)) { Point(x: $0.x + $1.x, y: $0.y + $1.y) }
  return Point(x: sum.x / Double(points.count), y: sum.y / Double(points.count))
}

/// A place in a picture, in pixels; pixel centres lie at the integers, y points down.
public struct Point: Equatable, Sendable {
  /// Pixels from the left.
  public var x: Double
  /// Pixels from the top.
  public var y: Double

  /// The point (x, y).
  public init(x: Double, y: Double) {
    (self.x, self.y) = (x, y)
  }
}

/// In JSON a point is a list of two numbers.
extension Point: Codable {
  /// Read `[x, y]`.
  public init(from decoder: any Decoder) throws {
    var list = try decoder.unkeyedContainer()
    self.init(x: try list.decode(Double.self), y: try list.decode(Double.self))
    guard list.isAtEnd else {
      throw DecodingError.dataCorruptedError(in: list, debugDescription: "expected two numbers")
    }
  }

  /// Write `[x, y]`.
  public func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    try list.encode(x)
    try list.encode(y)
  }
}

/// A 2 x 3 matrix, which maps (x, y, 1): first row `a b c`, second row `d e f`.
public struct Matrix: Equatable, Sendable {
  /// Column 0 of the first row.
  public var a: Double
  /// Column 1 of the first row.
  public var b: Double
  /// Column 2 of the first row: the shift in x, in pixels.
  public var c: Double
  /// Column 0 of the second row.
  public var d: Double
  /// Column 1 of the second row.
  public var e: Double
  /// Column 2 of the second row: the shift in y, in pixels.
  public var f: Double

  /// The matrix with the rows `a b c` and `d e f`.
  public init(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double) {
    (self.a, self.b, self.c, self.d, self.e, self.f) = (a, b, c, d, e, f)
  }

  /// Area of what a unit square is mapped to; negative where it is mirrored.
  public var determinant: Double { a * e - b * d }

  /// How many times as long this matrix, a similarity, makes things.
  public var scale: Double { abs(determinant).squareRoot() }

  /// The matrix that undoes this one; values that are not finite where the determinant is 0.
  public var inverse: Matrix {
    let (p, q, r, s) = (e / determinant, -b / determinant, -d / determinant, a / determinant)
    return Matrix(p, q, -(p * c + q * f), r, s, -(r * c + s * f))
  }

  /// Where this matrix maps `point`.
  public func apply(_ point: Point) -> Point {
    Point(x: a * point.x + b * point.y + c, y: d * point.x + e * point.y + f)
  }

  /// The matrix that maps by `first` and then by this one.
  public func after(_ first: Matrix) -> Matrix {
    Matrix(
      a * first.a + b * first.d, a * first.b + b * first.e, a * first.c + b * first.f + c,
      d * first.a + e * first.d, d * first.b + e * first.e, d * first.c + e * first.f + f)
  }
}

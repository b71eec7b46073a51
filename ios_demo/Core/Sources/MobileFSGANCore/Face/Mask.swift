/// Where an aligned face is: the hull of its outline, soft on the inside.
///
/// The same as `face_mask` in pipeline/faces/paste.py.
///
/// - Parameters:
///   - outline: points around the face, in pixels of the aligned face.
///   - mouth: the inner edge of the lips in order; what lies between them is left out.
///   - size: edge of the aligned face in pixels.
/// - Returns: size x size in 0...1; 0 on and outside of the hull and at the border.
public func faceMask(outline: [Point], mouth: [Point]? = nil, size: Int) -> [Float] {
  var inside = filled(hull(of: outline), size: size)
  for i in 0..<size {
    (inside[i], inside[(size - 1) * size + i]) = (0, 0)
    (inside[i * size], inside[i * size + size - 1]) = (0, 0)
  }
  var mask = ramp(inside, size: size, width: 0.07 * Float(size))
  if let mouth {
    let outside = filled(mouth, size: size).map { 1 - $0 }
    let around = ramp(outside, size: size, width: 0.015 * Float(size))
    for i in mask.indices { mask[i] *= around[i] }
  }
  return mask
}

/// The convex hull, by Andrew's monotone chain.
func hull(of points: [Point]) -> [Point] {
  let sorted = points.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
  return Array(halfHull(sorted) + halfHull(sorted.reversed()))
}

private func halfHull(_ points: [Point]) -> ArraySlice<Point> {
  var chain: [Point] = []
  for point in points {
    while chain.count > 1, turn(chain[chain.count - 2], chain[chain.count - 1], point) <= 0 {
      chain.removeLast()
    }
    chain.append(point)
  }
  return chain.dropLast()
}

private func turn(_ a: Point, _ b: Point, _ c: Point) -> Double {
  (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// 0 outside and on the edge, rising smoothly over `width` px from there inwards to 1.
private func ramp(_ inside: [UInt8], size: Int, width: Float) -> [Float] {
  // Resampling spreads a pixel to its neighbours: the first pixel stays 0.
  distances(inside, size: size).map { smooth(($0 - 1) / width) }
}

/// 0 up to 0, 1 from 1 on, and a smooth rise in between.
func smooth(_ value: Float) -> Float {
  let x = min(max(value, 0), 1)
  return x * x * (3 - 2 * x)
}

/// Distance of every pixel to the nearest 0, by the two passes of a 5 x 5 chamfer (Borgefors, 1986).
private func distances(_ inside: [UInt8], size: Int) -> [Float] {
  let (straight, diagonal, knight): (Float, Float, Float) = (1, 1.4, 2.1969)
  // Two pixels of border, infinitely far, so that no neighbour needs a check.
  let width = size + 4
  let neighbours: [(step: Int, distance: Float)] = [
    (-1, straight), (-width, straight), (-width - 1, diagonal), (-width + 1, diagonal),
    (-2 * width - 1, knight), (-2 * width + 1, knight), (-width - 2, knight), (-width + 2, knight),
  ]
  var away = [Float](repeating: .infinity, count: width * width)
  away.withUnsafeMutableBufferPointer { away in
    for sign in [1, -1] {
      for k in 0..<size * size {
        let i = sign > 0 ? k : size * size - 1 - k
        let at = (i / size + 2) * width + i % size + 2
        guard inside[i] > 0 else {
          away[at] = 0
          continue
        }
        var least = away[at]
        for (step, distance) in neighbours { least = min(least, away[at + sign * step] + distance) }
        away[at] = least
      }
    }
  }
  return (0..<size).flatMap { away[($0 + 2) * width + 2..<($0 + 2) * width + 2 + size] }
}

/// A polygon filled by the even-odd rule, its edges included; corners are rounded to pixels.
///
/// - Parameters:
///   - polygon: its corners in order. One that is not a finite place leaves the square empty.
///   - size: edge of the square in pixels.
/// - Returns: size x size, 1 inside.
func filled(_ polygon: [Point], size: Int) -> [UInt8] {
  var square = [UInt8](repeating: 0, count: size * size)
  let corners = polygon.compactMap(Corner.init)
  guard corners.count == polygon.count else { return square }
  let edges = corners.indices.map { (corners[$0], corners[($0 + 1) % corners.count]) }
  for (from, to) in edges { drawLine(&square, size, from, to) }
  var crossings: [Double] = []
  for y in 0..<size {
    crossings.removeAll(keepingCapacity: true)
    for (p, q) in edges where (p.y <= y) != (q.y <= y) {
      crossings.append(Double(p.x) + Double((y - p.y) * (q.x - p.x)) / Double(q.y - p.y))
    }
    crossings.sort()
    for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
      let from = max(0, Int(crossings[pair].rounded(.up)))
      let to = min(size - 1, Int(crossings[pair + 1].rounded(.down)))
      if from <= to { for x in from...to { square[y * size + x] = 1 } }
    }
  }
  return square
}

/// A point on whole pixels.
private struct Corner {
  /// No picture is that large; lines stay short enough to be drawn at once.
  private static let farthest = 1e6

  let x: Int
  let y: Int

  init?(_ point: Point) {
    guard point.x.isFinite, point.y.isFinite else { return nil }
    x = Int(min(max(point.x, -Self.farthest), Self.farthest).rounded(.toNearestOrEven))
    y = Int(min(max(point.y, -Self.farthest), Self.farthest).rounded(.toNearestOrEven))
  }
}

/// Bresenham's line from left to right; where two pixels are equally near it takes OpenCV's.
private func drawLine(_ square: inout [UInt8], _ size: Int, _ one: Corner, _ other: Corner) {
  let (from, to) = one.x <= other.x ? (one, other) : (other, one)
  var (x, y) = (from.x, from.y)
  let (dx, dy) = (to.x - x, abs(to.y - y))
  let stepY = to.y < y ? -1 : 1
  let (long, short) = (max(dx, dy), min(dx, dy))
  var error = long - 2 * short
  for _ in 0...long {
    if x >= 0, y >= 0, x < size, y < size { square[y * size + x] = 1 }
    let both = error < 0
    error += both ? 2 * (long - short) : -2 * short
    if dx >= dy || both { x += 1 }
    if dy > dx || both { y += stepY }
  }
}

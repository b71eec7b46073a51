/// Put a swapped face into a picture, in place. Pixels outside of the mask keep their values.
///
/// The same as `paste` in pipeline/faces/paste.py.
///
/// - Parameters:
///   - picture: the one that `aligned` was cut out of.
///   - swapped: size x size RGB, 0 to 255, what the generator made of `aligned`.
///   - aligned: size x size RGB, the target's face.
///   - size: edge of both in pixels.
///   - matrix: picture to aligned face.
///   - outline: points around the face in the picture; their hull is what is covered.
///   - opacity: 0 leaves the target as it is, 1 shows the swapped face alone.
public func pasteBack(
  into picture: inout Picture, swapped: [UInt8], aligned: [UInt8], size: Int, matrix: Matrix,
  outline: [Point], opacity: Double = 1
) {
  var mask = faceMask(outline: outline.map(matrix.apply), size: size)
  fadeAtEdge(&mask, size: size, outline: outline, matrix: matrix, picture: picture)
  guard let region = Region(of: mask, size: size, matrix: matrix, in: picture) else { return }
  let lit = matchLight(swapped, to: aligned, mask: mask, size: size)

  var face = Pyramid(Picture(data: lit, width: size, height: size))
  let width = picture.width
  face.withSampler(matrix.inverse) { sampler in
    mask.withUnsafeBufferPointer { mask in
      picture.data.withUnsafeMutableBufferPointer { pixels in
        guard let start = pixels.baseAddress else { return }
        for y in region.rows {
          var into = start + (y * width + region.columns.lowerBound) * 3
          for x in region.columns {
            let place = matrix.apply(Point(x: Double(x), y: Double(y)))
            let weight = maskWeight(mask, size, place) * Float(opacity)
            if weight > 0 {
              let colour = sampler.bicubic(Double(x), Double(y))
              let under = SIMD4(Float(into[0]), Float(into[1]), Float(into[2]), 0)
              into.store(under + (colour - under) * min(weight, 1))
            }
            into += 3
          }
        }
      }
    }
  }
}

/// Let a mask fall to 0 at the picture's edge.
///
/// Beyond the edge the aligned face is black. The generator, and resampling both ways, mix that into
/// the pixels beside it; and there is no light to measure.
private func fadeAtEdge(
  _ mask: inout [Float], size: Int, outline: [Point], matrix: Matrix, picture: Picture
) {
  // In the picture: four pixels of it or of the aligned face, the larger ones.
  let reach = 4 * max(1, 1 / matrix.scale)
  let (right, bottom) = (Double(picture.width - 1), Double(picture.height - 1))
  func room(_ place: Point) -> Double {
    min(place.x, place.y, right - place.x, bottom - place.y)
  }
  if outline.allSatisfy({ room($0) >= reach }) { return }
  let back = matrix.inverse
  for i in mask.indices where mask[i] > 0 {
    let place = back.apply(Point(x: Double(i % size), y: Double(i / size)))
    mask[i] *= smooth(Float(room(place) / reach))
  }
}

/// The mask between its pixels, bilinear. It is 0 at its border, and so is everything outside.
@inline(__always)
private func maskWeight(_ mask: UnsafeBufferPointer<Float>, _ size: Int, _ place: Point) -> Float {
  let last = Double(size - 1)
  guard place.x > 0, place.y > 0, place.x < last, place.y < last else { return 0 }
  let (left, top) = (Int(place.x), Int(place.y))
  let (fx, fy) = (Float(place.x - Double(left)), Float(place.y - Double(top)))
  let at = top * size + left
  let upper = mask[at] + fx * (mask[at + 1] - mask[at])
  let lower = mask[at + size] + fx * (mask[at + size + 1] - mask[at + size])
  return upper + fy * (lower - upper)
}

/// The pixels of a picture that a mask may cover.
private struct Region {
  let columns: Range<Int>
  let rows: Range<Int>

  /// Nil where it covers none, or the matrix cannot be undone.
  init?(of mask: [Float], size: Int, matrix: Matrix, in picture: Picture) {
    var (x0, y0, x1, y1) = (size, size, -1, -1)
    for y in 0..<size {
      for x in 0..<size where mask[y * size + x] > 0 {
        (x0, x1) = (min(x0, x), max(x1, x))
        (y0, y1) = (min(y0, y), max(y1, y))
      }
    }
    guard x1 >= 0 else { return nil }
    let back = matrix.inverse
    let corners = [x0 - 1, x1 + 1].flatMap { x in
      [y0 - 1, y1 + 1].map { y in back.apply(Point(x: Double(x), y: Double(y))) }
    }
    guard let columns = Self.range(corners.map(\.x), below: picture.width),
      let rows = Self.range(corners.map(\.y), below: picture.height)
    else { return nil }
    (self.columns, self.rows) = (columns, rows)
  }

  private static func range(_ places: [Double], below count: Int) -> Range<Int>? {
    guard let first = places.min(), let last = places.max(), places.allSatisfy(\.isFinite),
      first < Double(count), last >= 0
    else { return nil }
    return max(0, Int(first.rounded(.down)))..<Int(min(Double(count), last.rounded(.up) + 1))
  }
}

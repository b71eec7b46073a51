/// Reads a picture between its pixels, along a matrix.
///
/// It borrows the pixels, so it must not outlive them. Colours are RGB in the lanes 0 to 2.
struct Sampler {
  private let pixels: UnsafePointer<UInt8>
  private let width: Int
  private let height: Int
  private let back: Matrix
  private let finer: Double

  /// - Parameters:
  ///   - pixels: rows first, RGB interleaved.
  ///   - width: of the picture.
  ///   - height: of the picture.
  ///   - back: result to picture.
  init(pixels: UnsafePointer<UInt8>, width: Int, height: Int, back: Matrix) {
    (self.pixels, self.width, self.height, self.back) = (pixels, width, height, back)
    // Python enlarges by that much before it goes between pixels; it decides how the border fades.
    finer = back.determinant <= 1 ? 3 : 2
  }

  /// The colour at a pixel of the result by cubic convolution (Keys, 1981), black outside.
  @inline(__always)
  func bicubic(_ x: Double, _ y: Double) -> SIMD4<Float> {
    let sx = back.a * x + back.b * y + back.c
    let sy = back.d * x + back.e * y + back.f
    let shown = inside(sx, width) * inside(sy, height)
    // Not a number: the matrix cannot be undone.
    guard shown > 0 else { return .zero }
    // What is shown lies above -1, where truncation is the floor.
    let (left, top) = (Int(sx + 1) - 1, Int(sy + 1) - 1)
    let across = Cubic.weights(Float(sx - Double(left)))
    let down = Cubic.weights(Float(sy - Double(top))) * Float(shown)
    var sum = SIMD4<Float>.zero
    if left >= 1, top >= 1, left + 2 < width, top + 2 < height {
      let row = pixels + ((top - 1) * width + left - 1) * 3
      let stride = width * 3
      sum = line(row, across) * down[0]
      sum += line(row + stride, across) * down[1]
      sum += line(row + 2 * stride, across) * down[2]
      sum += line(row + 3 * stride, across) * down[3]
    } else {
      for j in 0..<4 {
        let row = min(max(top - 1 + j, 0), height - 1) * width
        for i in 0..<4 {
          let column = min(max(left - 1 + i, 0), width - 1)
          sum += colour(pixels + (row + column) * 3) * (across[i] * down[j])
        }
      }
    }
    return levels(sum)
  }

  /// The colour at a pixel of the result by bilinear interpolation, black outside.
  @inline(__always)
  func bilinear(_ x: Double, _ y: Double) -> SIMD4<Float> {
    let sx = back.a * x + back.b * y + back.c
    let sy = back.d * x + back.e * y + back.f
    guard sx > -1, sy > -1, sx < Double(width), sy < Double(height) else { return .zero }
    let (left, top) = (Int(sx + 1) - 1, Int(sy + 1) - 1)
    let (fx, fy) = (Float(sx - Double(left)), Float(sy - Double(top)))
    var sum = SIMD4<Float>.zero
    for j in 0..<2 where top + j >= 0 && top + j < height {
      for i in 0..<2 where left + i >= 0 && left + i < width {
        let weight = (i == 0 ? 1 - fx : fx) * (j == 0 ? 1 - fy : fy)
        sum += colour(pixels + ((top + j) * width + left + i) * 3) * weight
      }
    }
    return sum
  }

  @inline(__always)
  private func line(_ row: UnsafePointer<UInt8>, _ across: SIMD4<Float>) -> SIMD4<Float> {
    colour(row) * across[0] + colour(row + 3) * across[1]
      + colour(row + 6) * across[2] + colour(row + 9) * across[3]
  }

  @inline(__always)
  private func colour(_ at: UnsafePointer<UInt8>) -> SIMD4<Float> {
    SIMD4(Float(at[0]), Float(at[1]), Float(at[2]), 0)
  }

  /// A cubic curve overshoots at edges. Lane by lane: the minimum of whole vectors is a call that the
  /// compiler does not inline.
  @inline(__always)
  private func levels(_ sum: SIMD4<Float>) -> SIMD4<Float> {
    SIMD4(min(max(sum[0], 0), 255), min(max(sum[1], 0), 255), min(max(sum[2], 0), 255), 0)
  }

  /// How much of a sample lies in the picture: it fades to black over a part of a pixel.
  @inline(__always)
  private func inside(_ place: Double, _ extent: Int) -> Double {
    let fine = finer * place + (finer - 1) / 2
    return min(max(min(fine + 1, finer * Double(extent) - fine), 0), 1)
  }
}

/// The kernel of a cubic convolution.
private enum Cubic {
  /// OpenCV's free parameter.
  private static let a: Float = -0.75

  /// The weights of four neighbours, `f` from the second towards the third, 0 to 1.
  @inline(__always)
  static func weights(_ f: Float) -> SIMD4<Float> {
    let g = 1 - f
    return SIMD4(
      a * f * g * g,
      ((a + 2) * f - (a + 3)) * f * f + 1,
      ((a + 2) * g - (a + 3)) * g * g + 1,
      a * g * f * f)
  }
}

extension UnsafeMutablePointer<UInt8> {
  /// Store lanes 0 to 2, rounded to whole levels; they lie in 0...255.
  @inline(__always)
  func store(_ colour: SIMD4<Float>) {
    self[0] = UInt8(colour[0] + 0.5)
    self[1] = UInt8(colour[1] + 0.5)
    self[2] = UInt8(colour[2] + 0.5)
  }
}

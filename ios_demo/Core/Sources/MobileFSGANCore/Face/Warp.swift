import Foundation

/// A picture at halved sizes, so that any cut-out of it is sampled without aliasing.
public struct Pyramid: Sendable {
  private var levels: [Picture]

  /// Hold a picture without a copy; its halves are made when they are needed.
  public init(_ picture: Picture) {
    levels = [picture]
  }

  /// Resample by a similarity.
  ///
  /// - Parameters:
  ///   - matrix: picture to cut-out.
  ///   - width: of the cut-out, in pixels.
  ///   - height: of the cut-out, in pixels.
  ///   - smooth: bicubic where a picture is wanted; bilinear does for detectors.
  /// - Returns: black where the picture ends, and all over where the matrix cannot be undone.
  public mutating func cut(_ matrix: Matrix, width: Int, height: Int, smooth: Bool) -> Picture {
    let count = width * height * 3
    let data = withSampler(matrix) { sampler in
      [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        filled = count
        guard var into = buffer.baseAddress else { return }
        for y in 0..<height {
          for x in 0..<width {
            let (column, row) = (Double(x), Double(y))
            into.store(smooth ? sampler.bicubic(column, row) : sampler.bilinear(column, row))
            into += 3
          }
        }
      }
    }
    return Picture(data: data, width: width, height: height)
  }

  /// Call `body` with what reads the picture at the pixels of the cut-out that `matrix` describes.
  mutating func withSampler<Result>(_ matrix: Matrix, _ body: (Sampler) -> Result) -> Result {
    let level = prepareLevel(for: matrix)
    let step = Double(1 << level)
    let toPicture = Matrix(step, 0, (step - 1) / 2, 0, step, (step - 1) / 2)
    let (picture, back) = (levels[level], matrix.after(toPicture).inverse)
    return picture.data.withUnsafeBufferPointer { buffer in
      // A picture has at least one pixel, so its buffer has an address.
      guard let pixels = buffer.baseAddress else { preconditionFailure("an empty picture") }
      return body(
        Sampler(pixels: pixels, width: picture.width, height: picture.height, back: back))
    }
  }

  /// The level that a matrix shrinks by less than two, made where it is not there yet.
  private mutating func prepareLevel(for matrix: Matrix) -> Int {
    let scale = matrix.scale
    let halvings = scale > 0 ? -log2(scale) : 0
    let edge = Double(max(levels[0].width, levels[0].height))
    let level = Int(max(0, min(halvings.rounded(.down), log2(edge).rounded(.down) - 1)))
    while levels.count <= level {
      let next = levels[levels.count - 1].halved()
      levels.append(next)
    }
    return level
  }
}

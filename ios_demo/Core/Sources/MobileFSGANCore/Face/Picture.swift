/// A picture in memory.
public struct Picture: Equatable, Sendable {
  /// height x width x 3, rows first, RGB interleaved, 0 to 255.
  public var data: [UInt8]
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int

  /// - Parameters:
  ///   - data: width x height x 3 values, kept without a copy.
  ///   - width: at least 1.
  ///   - height: at least 1.
  public init(data: [UInt8], width: Int, height: Int) {
    precondition(
      width > 0 && height > 0 && data.count == width * height * 3,
      "\(data.count) values; expected RGB of \(width) x \(height) pixels")
    (self.data, self.width, self.height) = (data, width, height)
  }

  /// Means of 2 x 2 pixels; an odd edge is repeated.
  func halved() -> Picture {
    let (halfWidth, halfHeight) = ((width + 1) / 2, (height + 1) / 2)
    let half = [UInt8](unsafeUninitializedCapacity: halfWidth * halfHeight * 3) { into, count in
      count = halfWidth * halfHeight * 3
      data.withUnsafeBufferPointer { from in
        for y in 0..<halfHeight {
          let top = 2 * y * width
          let bottom = min(2 * y + 1, height - 1) * width
          for x in 0..<halfWidth {
            let (left, right) = (2 * x, min(2 * x + 1, width - 1))
            for channel in 0..<3 {
              let upper =
                Int(from[(top + left) * 3 + channel]) + Int(from[(top + right) * 3 + channel])
              let lower =
                Int(from[(bottom + left) * 3 + channel]) + Int(from[(bottom + right) * 3 + channel])
              into[(y * halfWidth + x) * 3 + channel] = UInt8((upper + lower + 2) / 4)
            }
          }
        }
      }
    }
    return Picture(data: half, width: halfWidth, height: halfHeight)
  }
}

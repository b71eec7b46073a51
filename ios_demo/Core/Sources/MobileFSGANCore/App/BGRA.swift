/// Converts between RGB pictures and BGRA pixels of 4 bytes, the format of camera and Core ML.
public enum BGRA {
  /// Read pixels.
  ///
  /// - Parameters:
  ///   - base: the first of `height` rows.
  ///   - bytesPerRow: at least 4 a pixel.
  public static func picture(
    _ base: UnsafeRawPointer, bytesPerRow: Int, width: Int, height: Int
  ) -> Picture {
    let count = width * height * 3
    let data = [UInt8](unsafeUninitializedCapacity: count) { rgb, filled in
      guard var to = rgb.baseAddress else { return }
      for y in 0..<height {
        var from = (base + y * bytesPerRow).assumingMemoryBound(to: UInt8.self)
        for _ in 0..<width {
          (to[0], to[1], to[2]) = (from[2], from[1], from[0])
          to += 3
          from += 4
        }
      }
      filled = count
    }
    return Picture(data: data, width: width, height: height)
  }

  /// Overwrite pixels, opaque.
  ///
  /// - Parameters:
  ///   - rgb: width x height x 3 values.
  ///   - base: the first of `height` rows.
  ///   - bytesPerRow: at least 4 a pixel.
  public static func write(
    _ rgb: [UInt8], to base: UnsafeMutableRawPointer, bytesPerRow: Int, width: Int, height: Int
  ) {
    precondition(rgb.count == width * height * 3, "the picture has another size than the pixels")
    rgb.withUnsafeBufferPointer { rgb in
      guard var from = rgb.baseAddress else { return }
      for y in 0..<height {
        var to = (base + y * bytesPerRow).assumingMemoryBound(to: UInt8.self)
        for _ in 0..<width {
          (to[0], to[1], to[2], to[3]) = (from[2], from[1], from[0], 255)
          from += 3
          to += 4
        }
      }
    }
  }
}

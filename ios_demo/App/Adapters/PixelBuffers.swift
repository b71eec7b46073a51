import CoreVideo
import Foundation
import MobileFSGANCore

/// Pixel buffers of one size that are used again: BGRA, backed by IOSurfaces, so that camera,
/// Vision and Core ML share them without copies.
final class PixelBufferPool: @unchecked Sendable {  // Core Video's pool locks itself
  private let pool: CVPixelBufferPool

  init(width: Int, height: Int) throws {
    let attributes: [CFString: Any] = [
      kCVPixelBufferPixelFormatTypeKey: kCVPixelFormatType_32BGRA,
      kCVPixelBufferWidthKey: width,
      kCVPixelBufferHeightKey: height,
      kCVPixelBufferIOSurfacePropertiesKey: [String: Int](),
    ]
    var made: CVPixelBufferPool?
    let status = CVPixelBufferPoolCreate(
      kCFAllocatorDefault, nil, attributes as CFDictionary, &made)
    guard status == kCVReturnSuccess, let made else { throw PixelBufferError(status: status) }
    pool = made
  }

  func buffer() throws -> CVPixelBuffer {
    var made: CVPixelBuffer?
    let status = CVPixelBufferPoolCreatePixelBuffer(kCFAllocatorDefault, pool, &made)
    guard status == kCVReturnSuccess, let made else { throw PixelBufferError(status: status) }
    return made
  }
}

struct PixelBufferError: Error, CustomStringConvertible {
  let status: CVReturn
  var description: String { "no memory for a picture (Core Video \(status))" }
}

extension CVPixelBuffer {
  var width: Int { CVPixelBufferGetWidth(self) }
  var height: Int { CVPixelBufferGetHeight(self) }

  /// The pixels, RGB.
  func picture() -> Picture {
    var data = [UInt8](repeating: 0, count: width * height * 3)
    withRows(.readOnly) { y, row in
      let start = y * width * 3
      for x in 0..<width {
        data[start + 3 * x] = row[4 * x + 2]
        data[start + 3 * x + 1] = row[4 * x + 1]
        data[start + 3 * x + 2] = row[4 * x]
      }
    }
    return Picture(data: data, width: width, height: height)
  }

  /// Overwrite the pixels.
  ///
  /// - Parameter rgb: width x height x 3 values.
  func fill(_ rgb: [UInt8]) {
    precondition(rgb.count == width * height * 3, "the picture has another size than the buffer")
    withRows([]) { y, row in
      let start = y * width * 3
      for x in 0..<width {
        row[4 * x] = rgb[start + 3 * x + 2]
        row[4 * x + 1] = rgb[start + 3 * x + 1]
        row[4 * x + 2] = rgb[start + 3 * x]
        row[4 * x + 3] = 255
      }
    }
  }

  private func withRows(
    _ flags: CVPixelBufferLockFlags, _ work: (Int, UnsafeMutablePointer<UInt8>) -> Void
  ) {
    CVPixelBufferLockBaseAddress(self, flags)
    defer { CVPixelBufferUnlockBaseAddress(self, flags) }
    guard let base = CVPixelBufferGetBaseAddress(self) else { return }
    let stride = CVPixelBufferGetBytesPerRow(self)
    for y in 0..<height {
      work(y, (base + y * stride).assumingMemoryBound(to: UInt8.self))
    }
  }
}

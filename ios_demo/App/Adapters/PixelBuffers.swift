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

  /// A copy of the pixels, RGB.
  func picture() -> Picture {
    CVPixelBufferLockBaseAddress(self, .readOnly)
    defer { CVPixelBufferUnlockBaseAddress(self, .readOnly) }
    guard let base = CVPixelBufferGetBaseAddress(self) else {
      preconditionFailure("BGRA buffers have one plane")
    }
    return BGRA.picture(
      base, bytesPerRow: CVPixelBufferGetBytesPerRow(self), width: width, height: height)
  }

  /// Overwrite the pixels.
  ///
  /// - Parameter rgb: width x height x 3 values.
  /// - Throws: `AppError` where there are more or less.
  func fill(_ rgb: [UInt8]) throws {
    guard rgb.count == width * height * 3 else {
      throw AppError(.otherSize("\(rgb.count)", "\(width * height * 3)"))
    }
    CVPixelBufferLockBaseAddress(self, [])
    defer { CVPixelBufferUnlockBaseAddress(self, []) }
    guard let base = CVPixelBufferGetBaseAddress(self) else { return }
    BGRA.write(
      rgb, to: base, bytesPerRow: CVPixelBufferGetBytesPerRow(self), width: width, height: height)
  }
}

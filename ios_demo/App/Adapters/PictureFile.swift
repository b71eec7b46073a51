import CoreGraphics
import CoreVideo
import Foundation
import ImageIO
import MobileFSGANCore
import UniformTypeIdentifiers

/// Pictures between files and pixels.
enum PictureFile {
  /// The longest edge of a photo that is swapped, in pixels: memory is short on phones.
  private static let longestEdge = 4096

  /// Decode a photo, upright.
  ///
  /// - Throws: `AppError` where it is no picture.
  static func read(_ data: Data) throws -> CVPixelBuffer {
    let options: [CFString: Any] = [
      kCGImageSourceCreateThumbnailFromImageAlways: true,
      kCGImageSourceCreateThumbnailWithTransform: true,
      kCGImageSourceThumbnailMaxPixelSize: longestEdge,
    ]
    guard let source = CGImageSourceCreateWithData(data as CFData, nil),
      let image = CGImageSourceCreateThumbnailAtIndex(source, 0, options as CFDictionary)
    else { throw AppError(.noPicture) }
    let buffer = try PixelBufferPool(width: image.width, height: image.height).buffer()
    try buffer.draw { context in
      context.draw(image, in: CGRect(x: 0, y: 0, width: image.width, height: image.height))
    }
    return buffer
  }

  /// Write a swapped picture as JPEG that says that it is synthetic.
  ///
  /// - Returns: a file in the temporary folder.
  static func write(_ image: CGImage) throws -> URL {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("swapped-\(UUID().uuidString).jpg")
    let metadata = CGImageMetadataCreateMutable()
    for property in Provenance.xmp {
      let (path, value) = ("\(property.prefix):\(property.name)", property.value)
      _ = CGImageMetadataRegisterNamespaceForPrefix(
        metadata, property.namespace as CFString, property.prefix as CFString, nil)
      guard CGImageMetadataSetValueWithPath(metadata, nil, path as CFString, value as CFString)
      else { throw AppError(.notSaved) }  // without its label no picture is saved
    }
    guard
      let destination = CGImageDestinationCreateWithURL(
        file as CFURL, UTType.jpeg.identifier as CFString, 1, nil)
    else { throw AppError(.notSaved) }
    let options: [CFString: Any] = [kCGImageDestinationLossyCompressionQuality: 0.92]
    CGImageDestinationAddImageAndMetadata(destination, image, metadata, options as CFDictionary)
    guard CGImageDestinationFinalize(destination) else { throw AppError(.notSaved) }
    return file
  }
}

extension CVPixelBuffer {
  /// Draw into the pixels; the origin is at the bottom left, as Core Graphics has it.
  func draw(_ work: (CGContext) -> Void) throws {
    _ = try withContext(work)
  }

  /// A copy of the pixels.
  func image() throws -> CGImage {
    guard let image = try withContext({ $0.makeImage() }) else { throw AppError(.noPicture) }
    return image
  }

  private func withContext<Result>(_ work: (CGContext) -> Result) throws -> Result {
    CVPixelBufferLockBaseAddress(self, [])
    defer { CVPixelBufferUnlockBaseAddress(self, []) }
    guard let space = CGColorSpace(name: CGColorSpace.sRGB),
      let context = CGContext(
        data: CVPixelBufferGetBaseAddress(self), width: width, height: height,
        bitsPerComponent: 8, bytesPerRow: CVPixelBufferGetBytesPerRow(self), space: space,
        bitmapInfo: CGImageAlphaInfo.noneSkipFirst.rawValue
          | CGBitmapInfo.byteOrder32Little.rawValue)
    else { throw AppError(.noPicture) }
    return work(context)
  }
}

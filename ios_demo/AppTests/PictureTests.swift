import CoreGraphics
import ImageIO
import MobileFSGANCore
import XCTest

@testable import MobileFSGAN

/// Pixels between Core, Core Video and files.
final class PictureTests: XCTestCase {
  private func picture() -> Picture {
    Picture(data: (0..<64 * 32 * 3).map { UInt8($0 % 251) }, width: 64, height: 32)
  }

  func testPixelsComeBackFromABuffer() throws {
    let buffer = try PixelBufferPool(width: 64, height: 32).buffer()
    try buffer.fill(picture().data)
    XCTAssertEqual(buffer.picture().data, picture().data)
  }

  func testASavedPictureSaysThatItIsSynthetic() throws {
    let buffer = try PixelBufferPool(width: 64, height: 32).buffer()
    try buffer.fill(picture().data)
    let file = try PictureFile.write(buffer.image())
    defer { try? FileManager.default.removeItem(at: file) }
    let data = try Data(contentsOf: file)
    XCTAssertNotNil(data.range(of: Data(Provenance.digitalSourceType.utf8)))
  }

  func testTheBadgeChangesTheLowerLeftCornerOnly() throws {
    let buffer = try PixelBufferPool(width: 640, height: 480).buffer()
    try buffer.fill([UInt8](repeating: 200, count: 640 * 480 * 3))
    try BadgePainter.paint(Provenance(), into: buffer)
    let painted = buffer.picture().data
    XCTAssertTrue(painted.prefix(640 * 3 * 400).allSatisfy { $0 == 200 })
    XCTAssertFalse(painted.suffix(640 * 3 * 80).allSatisfy { $0 == 200 })
  }
}

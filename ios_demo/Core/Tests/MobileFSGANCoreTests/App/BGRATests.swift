import XCTest

@testable import MobileFSGANCore

final class BGRATests: XCTestCase {
  func testPixelsComeBackFromRowsThatArePadded() {
    let (width, height, bytesPerRow) = (5, 3, 24)
    let rgb = (0..<width * height * 3).map { UInt8($0 * 5) }
    var pixels = [UInt8](repeating: 7, count: bytesPerRow * height)
    BGRA.write(rgb, to: &pixels, bytesPerRow: bytesPerRow, width: width, height: height)
    XCTAssertEqual(pixels[0..<8], [10, 5, 0, 255, 25, 20, 15, 255])
    XCTAssertEqual(pixels[20..<24], [7, 7, 7, 7])
    let back = BGRA.picture(pixels, bytesPerRow: bytesPerRow, width: width, height: height)
    XCTAssertEqual(back, Picture(data: rgb, width: width, height: height))
  }

  func testATestFrameHoldsTheFaceWhereItSays() throws {
    let align = Manifest.Align(
      size: 16, template: [(4, 5), (11, 5), (8, 9), (5, 12), (10, 12)].map(Point.init))
    let frame = try TestFrame(SmallBundle.target, align: align)
    let cut = fitSimilarity(frame.face.points, to: align.template)
    var pyramid = Pyramid(frame.picture)
    let face = pyramid.cut(cut, width: 16, height: 16, smooth: true)
    XCTAssertEqual(face.data, SmallBundle.target)
    XCTAssertThrowsError(try TestFrame([1, 2, 3], align: align))
  }
}

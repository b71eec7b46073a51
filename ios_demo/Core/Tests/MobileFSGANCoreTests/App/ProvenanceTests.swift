import XCTest

@testable import MobileFSGANCore

final class ProvenanceTests: XCTestCase {
  func testTheBadgeIsOnByDefaultAndLiesInThePicture() throws {
    for (width, height) in [(1280, 720), (720, 1280), (4032, 3024), (20, 20)] {
      let place = try XCTUnwrap(
        Provenance().badge(width: width, height: height, textWidth: 8))
      XCTAssertGreaterThanOrEqual(place.left, 0)
      XCTAssertGreaterThanOrEqual(place.top, 0)
      XCTAssertLessThanOrEqual(place.left + place.width, Double(width))
      XCTAssertLessThanOrEqual(place.top + place.height, Double(height))
      XCTAssertGreaterThanOrEqual(place.height, 14)
    }
  }

  func testMetadataAreWrittenWithAndWithoutABadge() {
    XCTAssertNil(Provenance(hasBadge: false).badge(width: 100, height: 100, textWidth: 8))
    XCTAssertEqual(Provenance.xmp.first?.name, "DigitalSourceType")
    XCTAssertTrue(
      Provenance.digitalSourceType.hasSuffix("/compositeWithTrainedAlgorithmicMedia"))
  }
}

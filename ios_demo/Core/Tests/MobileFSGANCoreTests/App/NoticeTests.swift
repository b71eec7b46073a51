import XCTest

@testable import MobileFSGANCore

final class NoticeTests: XCTestCase {
  func testValuesAreFilledInByPlace() {
    let notice = Notice("%@ of %@", "one", "two")
    XCTAssertEqual(notice.description, "one of two")
    XCTAssertEqual(notice.filled(into: "%2$@ hat %1$@, 100 %"), "two hat one, 100 %")
    XCTAssertEqual(notice.filled(into: "%@ %@ %@"), "one two %@")
  }

  func testAValueWithAPercentSignStaysAsItIs() {
    XCTAssertEqual(Notice("%@ and %@", "%@", "%1$@").description, "%@ and %1$@")
  }
}

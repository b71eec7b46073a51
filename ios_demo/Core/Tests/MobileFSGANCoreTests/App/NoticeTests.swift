import XCTest

@testable import MobileFSGANCore

final class NoticeTests: XCTestCase {
  func testValuesAreFilledInByPlace() {
    let notice = Notice("%@ of %@", "one", "two")
    XCTAssertEqual(notice.description, "one of two")
    XCTAssertEqual(notice.text { _ in "%2$@ hat %1$@, 100 %" }, "two hat one, 100 %")
    XCTAssertEqual(notice.text { _ in "%@ %@ %@" }, "one two %@")
  }

  func testAReasonIsTranslatedByItself() {
    let notice = Notice("%@ stops: %@", "It", because: Notice("too %@", "hot"))
    XCTAssertEqual(notice.description, "It stops: too hot")
    let german = ["%@ stops: %@": "%@ steht: %@", "too %@": "zu %@"]
    XCTAssertEqual(notice.text { german[$0] ?? $0 }, "It steht: zu hot")
  }

  func testErrorsOfTheSystemAreSaidInItsWords() {
    let none = URL(fileURLWithPath: "/no such file")
    XCTAssertThrowsError(try Data(contentsOf: none)) { error in
      let words = Notice(of: error).description
      XCTAssertFalse(words.isEmpty)
      XCTAssertFalse(words.contains("Error Domain"), words)
      XCTAssertFalse(words.contains("Code="), words)
    }
    XCTAssertEqual(Notice(of: ManifestError("It is broken.")).description, "It is broken.")
  }

  func testAValueWithAPercentSignStaysAsItIs() {
    XCTAssertEqual(Notice("%@ and %@", "%@", "%1$@").description, "%@ and %1$@")
  }
}

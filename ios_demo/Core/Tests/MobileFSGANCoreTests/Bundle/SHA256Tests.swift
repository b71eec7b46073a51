import Foundation
import XCTest

@testable import MobileFSGANCore

final class SHA256Tests: XCTestCase {
  /// The examples of FIPS 180-4, as NIST publishes them.
  private static let examples = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
        + "lmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
  ]

  func testTheExamplesOfTheStandard() {
    for (text, wanted) in Self.examples {
      var (own, used) = (PortableSHA256(), SHA256())
      own.update(Array(text.utf8))
      used.update(Array(text.utf8))
      XCTAssertEqual(own.hexDigest(), wanted, text)
      XCTAssertEqual(used.hexDigest(), wanted, text)
    }
  }

  func testAMillionTimesTheLetterA() {
    var hash = PortableSHA256()
    for _ in 0..<1000 { hash.update([UInt8](repeating: 0x61, count: 1000)) }
    XCTAssertEqual(
      hash.hexDigest(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  func testPartsOfAnyLengthGiveTheSameHash() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var whole = PortableSHA256()
    whole.update(bytes)
    for length in [1, 3, 55, 63, 64, 65, 128, 299] {
      var parts = PortableSHA256()
      for start in stride(from: 0, to: bytes.count, by: length) {
        parts.update(Array(bytes[start..<min(start + length, bytes.count)]))
      }
      XCTAssertEqual(parts.hexDigest(), whole.hexDigest(), "parts of \(length)")
    }
  }
}

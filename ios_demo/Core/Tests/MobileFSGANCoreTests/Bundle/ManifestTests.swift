import Foundation
import XCTest

@testable import MobileFSGANCore

final class ManifestTests: XCTestCase {
  private struct Text: Decodable {
    let name, text: String
    let accepted: Bool
  }

  func testManifestsAreReadOrRefusedAsPythonDoes() throws {
    for one in try Vectors.read("manifests", Text.self).cases {
      if one.accepted {
        XCTAssertNoThrow(try Manifest(json: Data(one.text.utf8)), one.name)
      } else {
        XCTAssertThrowsError(try Manifest(json: Data(one.text.utf8)), one.name) { error in
          XCTAssert(error is ManifestError, "\(one.name): \(error)")
        }
      }
    }
  }

  func testAManifestKeepsWhatTheAppNeeds() throws {
    let good = try XCTUnwrap(Vectors.read("manifests", Text.self).cases.first { $0.accepted })
    let manifest = try Manifest(json: Data(good.text.utf8))
    XCTAssertEqual(manifest.align.size, 256)
    XCTAssertEqual(manifest.align.template[2], Point(x: 128.0459, y: 156.66309285714286))
    XCTAssertEqual(manifest.identity.start..<manifest.identity.stop, 26..<230)
    XCTAssertEqual(manifest.models[0].inputs.map(\.name), ["target", "embedding"])
    XCTAssertEqual(manifest.models[0].inputs[0].shape, [1, 256, 256, 3])
  }

  func testARefusalNamesThePlaceAndWhatToDo() throws {
    func reason(_ change: (String) -> String) throws -> String {
      let good = try XCTUnwrap(Vectors.read("manifests", Text.self).cases.first { $0.accepted })
      do {
        _ = try Manifest(json: Data(change(good.text).utf8))
        return "accepted"
      } catch { return "\(error)" }
    }
    XCTAssertEqual(
      try reason { $0.replacingOccurrences(of: "\"bytes\": 7910000", with: "\"bytes\": \"many\"") },
      "manifest.models[0].bytes is not of the expected type. Export the bundle again.")
    XCTAssertEqual(
      try reason { $0.replacingOccurrences(of: "\"schema\": 1", with: "\"schema\": 2") },
      "The manifest has schema 2; this app reads schema 1. Export the bundle again, or update the "
        + "app.")
    XCTAssertEqual(
      try reason { $0.replacingOccurrences(of: "\"size\": 256", with: "\"size\": -256") },
      "align.size is -256; expected 1 to 4096. Export the bundle again.")
  }

  /// A manifest may come from anywhere; a value that is out of all bounds must not end the app.
  func testADamagedManifestIsReadOrRefused() throws {
    let good = try XCTUnwrap(Vectors.read("manifests", Text.self).cases.first { $0.accepted })
    let values = ["-1", "0", "1e999", "9223372036854775808", "null", "[]", "\"\\u0000\"", "1.5"]
    var random = Seeded(state: 1)
    for _ in 0..<1000 {
      var text = Array(good.text.utf8)
      let at = Int.random(in: 0..<text.count, using: &random)
      if Bool.random(using: &random) {
        let numbers = text.indices.filter { (0x30...0x39).contains(text[$0]) }
        let place = numbers[Int.random(in: 0..<numbers.count, using: &random)]
        let value = try XCTUnwrap(values.randomElement(using: &random))
        text.replaceSubrange(place...place, with: value.utf8)
      } else {
        text[at] = UInt8.random(in: 0...255, using: &random)
      }
      do {
        _ = try Manifest(json: Data(text))
      } catch {
        XCTAssert(error is ManifestError, "\(error)")
      }
    }
  }

  /// The same numbers in every run (SplitMix64, Steele, Lea and Flood, 2014).
  private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }

  private struct Latencies: Decodable {
    let latenciesMs: [Double]
    let stage: [String: Double]

    enum CodingKeys: String, CodingKey {
      case latenciesMs = "latencies_ms"
      case stage
    }
  }

  func testStatisticsOfARowArePythons() throws {
    let file = try Vectors.read("statistics", Latencies.self)
    for one in file.cases {
      let json = try JSONEncoder().encode(Stage(of: one.latenciesMs))
      let found = try JSONDecoder().decode([String: Double].self, from: json)
      XCTAssertEqual(found.keys.sorted(), one.stage.keys.sorted())
      let keys = found.keys.sorted()
      let away = worst(keys.compactMap { found[$0] }, keys.compactMap { one.stage[$0] })
      XCTAssertLessThanOrEqual(away, try file.tolerance("ms"))
    }
  }

  /// The files of index.json, hashed by Python.
  func testEveryVectorHasTheHashThatPythonComputed() throws {
    struct Index: Decodable {
      struct Entry: Decodable { let sha256: String }
      let files: [String: Entry]
    }
    let data = try Data(contentsOf: Vectors.folder.appendingPathComponent("index.json"))
    for (name, entry) in try JSONDecoder().decode(Index.self, from: data).files {
      var hash = PortableSHA256()
      hash.update(try Data(contentsOf: Vectors.folder.appendingPathComponent(name)))
      XCTAssertEqual(hash.hexDigest(), entry.sha256, name)
    }
  }
}

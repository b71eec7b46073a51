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

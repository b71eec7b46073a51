import XCTest

@testable import MobileFSGANCore

/// An exported bundle with the shipped weights; MOBILEFSGAN_BUNDLE names its folder.
final class RealBundleTests: XCTestCase {
  private func bundle() throws -> BundleReader {
    let environment = ProcessInfo.processInfo.environment
    guard let folder = environment["MOBILEFSGAN_BUNDLE"], !folder.isEmpty else {
      if environment["CI"] == "true" { XCTFail("MOBILEFSGAN_BUNDLE is not set") }
      throw XCTSkip("MOBILEFSGAN_BUNDLE names no bundle: no real package is checked")
    }
    return try BundleReader(folder: URL(fileURLWithPath: folder))
  }

  func testAPackageIsTheOneThatTheManifestDescribes() throws {
    let bundle = try bundle()
    let smallest = try XCTUnwrap(bundle.generators.min { $0.bytes < $1.bytes })
    XCTAssertNoThrow(try bundle.checkedFile(smallest))
  }

  func testGoldenSamplesAreFacesOfTheManifestsSize() throws {
    let bundle = try bundle()
    for sample in try bundle.golden() {
      XCTAssertEqual(
        sample.target.count, bundle.manifest.align.size * bundle.manifest.align.size * 3)
      XCTAssertEqual(sample.embedding.map { $0 * $0 }.reduce(0, +), 1, accuracy: 1e-3)
      XCTAssertTrue(sample.image.allSatisfy { (0...1).contains($0) })
    }
  }

  /// What the app needs by name; see CoreMLGenerator.
  func testThePackagesHaveTheTensorsThatTheAppFills() throws {
    let bundle = try bundle()
    for spec in bundle.generators {
      XCTAssertEqual(Set(spec.inputs.map(\.name)), ["target", "embedding"])
      XCTAssertEqual(spec.outputs.map(\.name), ["image"])
      XCTAssertEqual(spec.inputs.first { $0.name == "target" }?.dtype, "uint8")
    }
    let identity = try bundle.identity()
    XCTAssertEqual(identity.inputs.map(\.name), ["face"])
    XCTAssertEqual(identity.outputs.map(\.name), ["embedding"])
  }
}

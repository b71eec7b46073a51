import XCTest

@testable import MobileFSGANCore

final class BundleReaderTests: XCTestCase {
  private func refusal(_ work: () throws -> Void) -> String {
    do {
      try work()
      return "nothing was refused"
    } catch {
      return Notice(of: error).description
    }
  }

  func testAWholeBundleIsRead() throws {
    let bundle = try SmallBundle(for: self, precisions: ["fp16", "fp32"])
    let reader = try BundleReader(folder: bundle.folder)
    XCTAssertEqual(reader.generators.map(\.precision), ["fp32", "fp16"])
    let spec = try reader.generator(precision: "fp16")
    XCTAssertEqual(try reader.checkedFile(spec).lastPathComponent, spec.file)
    let sample = try XCTUnwrap(reader.golden().first)
    XCTAssertEqual(sample.target, SmallBundle.target)
    XCTAssertEqual(sample.embedding, [1, 0])
    XCTAssertEqual(sample.image.count, 768)
  }

  func testAChangedFileIsRefusedInWords() throws {
    let bundle = try SmallBundle(for: self)
    let reader = try BundleReader(folder: bundle.folder)
    let spec = try reader.generator(precision: "fp16")
    try bundle.write(Data("a model, fp17".utf8), "\(spec.file)/Data/weights/weight.bin")
    XCTAssertEqual(
      refusal { _ = try reader.checkedFile(spec) },
      "generator-fp16.mlpackage is not the file that the manifest describes; it was damaged or "
        + "exchanged. Copy the bundle again.")
  }

  func testWhatFileManagersLeaveBehindDoesNotCount() throws {
    let bundle = try SmallBundle(for: self)
    let reader = try BundleReader(folder: bundle.folder)
    let spec = try reader.generator(precision: "fp16")
    try bundle.write(Data(), "\(spec.file)/Data/.DS_Store")
    XCTAssertNoThrow(try reader.checkedFile(spec))
  }

  func testALinkInAPackageIsRefused() throws {
    let bundle = try SmallBundle(for: self)
    let reader = try BundleReader(folder: bundle.folder)
    let spec = try reader.generator(precision: "fp16")
    try FileManager.default.createSymbolicLink(
      at: bundle.folder.appendingPathComponent("\(spec.file)/link"),
      withDestinationURL: bundle.folder.appendingPathComponent("manifest.json"))
    XCTAssertThrowsError(try reader.checkedFile(spec))
  }

  func testANewerSchemaIsRefusedInWords() throws {
    let bundle = try SmallBundle(for: self, schema: 2)
    let words = refusal { _ = try BundleReader(folder: bundle.folder) }
    XCTAssertTrue(words.hasPrefix("The bundle is refused."), words)
    XCTAssertTrue(words.contains("schema"), words)
  }

  func testAFolderWithoutAManifestSaysHowToGetABundle() throws {
    let bundle = try SmallBundle(for: self)
    let words = refusal {
      _ = try BundleReader(folder: bundle.folder.appendingPathComponent("golden"))
    }
    XCTAssertTrue(words.contains("python -m export.bundle --ios"), words)
  }

  func testAMissingModelIsNamed() throws {
    let bundle = try SmallBundle(for: self)
    try FileManager.default.removeItem(
      at: bundle.folder.appendingPathComponent("generator-fp16.mlpackage"))
    XCTAssertEqual(
      refusal { _ = try BundleReader(folder: bundle.folder) },
      "The bundle lacks generator-fp16.mlpackage, which its manifest names. Export it again.")
  }

  func testGoldenSamplesThatAreCutOffAreRefused() throws {
    let bundle = try SmallBundle(for: self)
    try bundle.write(Data([1, 2, 3]), "golden/0-image.f32")
    let reader = try BundleReader(folder: bundle.folder)
    XCTAssertThrowsError(try reader.golden())
  }

  /// The order of files in a package: by folders first, as Python sorts paths.
  func testThePackageDigestIsThatOfPython() throws {
    let bundle = try SmallBundle(for: self)
    for (path, content) in [("p/a/z.bin", "one"), ("p/a-b.bin", "two"), ("p/B.json", "three")] {
      try bundle.write(Data(content.utf8), path)
    }
    let digest = try FileDigest(of: bundle.folder.appendingPathComponent("p"))
    XCTAssertEqual(digest.bytes, 11)
    XCTAssertEqual(
      digest.sha256, "80ce88c73bdbe89b0f99488728376e22283cd2a970999190a5e8ed1e962fed9e")
  }
}

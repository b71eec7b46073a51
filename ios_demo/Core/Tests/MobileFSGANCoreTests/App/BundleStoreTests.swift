import XCTest

@testable import MobileFSGANCore

final class BundleStoreTests: XCTestCase {
  private func store(shipped: URL? = nil) -> BundleStore {
    let home = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    addTeardownBlock { try? FileManager.default.removeItem(at: home) }
    return BundleStore(home: home, shipped: shipped)
  }

  private func precisions(_ store: BundleStore) throws -> [String] {
    try store.open().generators.map(\.precision)
  }

  func testWithoutABundleTheAppSaysHowToGetOne() throws {
    XCTAssertThrowsError(try store().open()) { XCTAssertEqual(Notice(of: $0), .noBundle) }
  }

  func testAnImportedBundleReplacesTheShippedOneAndTheOneBefore() throws {
    let (shipped, first) = (
      try SmallBundle(for: self), try SmallBundle(for: self, precisions: ["int8"])
    )
    let second = try SmallBundle(for: self, precisions: ["fp32", "pal6"])
    let store = store(shipped: shipped.folder)
    XCTAssertEqual(try precisions(store), ["fp16"])
    try store.take(first.folder)
    XCTAssertEqual(try precisions(store), ["int8"])
    try store.take(second.folder)
    XCTAssertEqual(try precisions(store), ["fp32", "pal6"])
    try store.forgetImported()
    XCTAssertEqual(try precisions(store), ["fp16"])
    XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: store.home.path), [])
  }

  func testADamagedBundleIsRefusedAndTheOneBeforeStays() throws {
    let (good, bad) = (try SmallBundle(for: self), try SmallBundle(for: self, precisions: ["int8"]))
    let store = store()
    try store.take(good.folder)
    try bad.write(Data("[]".utf8), "generator-int8.mlpackage/Manifest.json")
    XCTAssertThrowsError(try store.take(bad.folder)) {
      XCTAssertEqual(Notice(of: $0), .damaged("generator-int8.mlpackage"))
    }
    XCTAssertEqual(try precisions(store), ["fp16"])
    XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: store.home.path), ["Bundle"])
  }

  func testAFolderThatIsNoBundleIsNotCopied() throws {
    let bundle = try SmallBundle(for: self)
    let store = store()
    XCTAssertThrowsError(try store.take(bundle.folder.appendingPathComponent("golden")))
    XCTAssertFalse(FileManager.default.fileExists(atPath: store.home.path))
  }
}

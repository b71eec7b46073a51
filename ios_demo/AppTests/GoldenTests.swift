import MobileFSGANCore
import XCTest

@testable import MobileFSGAN

/// The shipped bundle on this phone (or simulator): every generator on every choice of units gives
/// PyTorch's pictures. A Mac with Xcode runs this; see docs/ios.md.
final class GoldenTests: XCTestCase {
  private func bundle() throws -> BundleReader {
    do {
      return try BundleStore.standard.open()
    } catch {
      throw XCTSkip("no bundle in the app: \(Notice(of: error))")
    }
  }

  func testEveryGeneratorGivesPyTorchsPicturesOnEveryUnit() async throws {
    let bundle = try bundle()
    let samples = try bundle.golden()
    let models = CompiledModels(folder: BundleStore.standard.compiled)
    for spec in bundle.generators {
      for units in [ComputeUnits.cpu, .gpu, .ane] {
        let file = try bundle.checkedFile(spec)
        let generator = try await models.generator(spec, at: file, units: units) { _ in }
        let test = try await SelfTest.run(generator, samples)
        XCTAssertGreaterThanOrEqual(
          test.psnrDB, SelfTest.gateDB(precision: spec.precision), "\(spec.file) on \(units.name)")
      }
    }
  }

  func testTheIdentityEncoderGivesAUnitVector() async throws {
    let bundle = try bundle()
    let spec = try bundle.identity()
    let models = CompiledModels(folder: BundleStore.standard.compiled)
    let encoder = try await models.encoder(spec, at: bundle.checkedFile(spec))
    let face = try XCTUnwrap(bundle.golden().first).target
    let embedding = try await encoder.embedding(of: face)
    XCTAssertEqual(embedding.map { $0 * $0 }.reduce(0, +), 1, accuracy: 1e-3)
  }
}

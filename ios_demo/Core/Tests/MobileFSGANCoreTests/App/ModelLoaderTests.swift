import XCTest

@testable import MobileFSGANCore

final class ModelLoaderTests: XCTestCase {
  private actor Heard {
    private(set) var states: [ModelState] = []
    func hear(_ state: ModelState) { states.append(state) }
  }

  private func loader(_ bundle: SmallBundle, _ source: EchoSource, system: String = "17.0") throws
    -> ModelLoader
  {
    ModelLoader(
      bundle: try BundleReader(folder: bundle.folder), source: source,
      record: StartRecord(
        file: bundle.folder.appendingPathComponent("starts.json"), system: system))
  }

  func testAModelIsCheckedCompiledLoadedAndTestedOnce() async throws {
    let bundle = try SmallBundle(for: self)
    let file = "generator-fp16.mlpackage"
    let steps: [ModelState] = [
      .checking, .compiling(file: file), .loading(file: file, units: .ane),
      .testing(file: file, units: .ane),
    ]
    for (start, expected) in [steps, Array(steps.dropLast())].enumerated() {
      let heard = Heard()
      let (_, model) = try await loader(bundle, EchoSource()).load(precision: "fp16", units: .ane) {
        await heard.hear($0)
      }
      XCTAssertEqual(model.used, .ane)
      XCTAssertNil(model.fallBack)
      XCTAssertGreaterThan(model.test.psnrDB, 100)
      let states = await heard.states
      XCTAssertEqual(states, expected, "start \(start)")
    }
  }

  func testAUnitThatMissesTheSelfTestIsReplacedByTheCPUInWords() async throws {
    let source = EchoSource(wrong: [.ane])
    let (_, model) = try await loader(SmallBundle(for: self), source).load(
      precision: "fp16", units: .ane
    ) {
      _ in
    }
    XCTAssertEqual(model.used, .cpu)
    XCTAssertEqual(
      model.fallBack?.description,
      "Neural Engine is not used: The self-test gave 30.1 dB; 45.0 dB are needed. "
        + "The CPU computes instead.")
    XCTAssertTrue(model.tests[0].description.hasSuffix("dB, 7.0 ms on CPU"))
  }

  func testAUnitThatDoesNotLoadIsReplacedByTheCPUInWords() async throws {
    let source = EchoSource(broken: [.gpu])
    let (_, model) = try await loader(SmallBundle(for: self), source).load(
      precision: "fp16", units: .gpu
    ) {
      _ in
    }
    XCTAssertEqual(model.used, .cpu)
    XCTAssertTrue(model.fallBack!.description.contains("does not load on GPU: no such device"))
  }

  func testAllUnitsAreTestedOnceAndTheFastestThatPassesIsTaken() async throws {
    let bundle = try SmallBundle(for: self)
    let source = EchoSource(wrong: [.gpu], ms: [.ane: 9, .gpu: 2, .cpu: 40])
    for tested in [3, 0] {
      let heard = Heard()
      let (_, model) = try await loader(bundle, source).load(precision: "fp16", units: nil) {
        await heard.hear($0)
      }
      XCTAssertEqual(model.used, .ane)
      XCTAssertNil(model.requested)
      XCTAssertNil(model.fallBack)
      let testing = await heard.states.filter { if case .testing = $0 { true } else { false } }
      XCTAssertEqual(testing.count, tested)
      XCTAssertTrue(model.tests[0].description.hasSuffix("dB, 9.0 ms on Neural Engine"))
      XCTAssertTrue(model.tests[1].description.hasSuffix("dB, 40.0 ms on CPU"))
      if tested > 0 {
        XCTAssertEqual(
          model.tests[2].description,
          "GPU is not used: The self-test gave 30.1 dB; 45.0 dB are needed.")
      }
    }
  }

  func testTheCPUThatIsLeftIsSaid() async throws {
    let source = EchoSource(broken: [.ane], wrong: [.gpu])
    let (_, model) = try await loader(SmallBundle(for: self), source)
      .load(precision: "fp16", units: nil) { _ in }
    XCTAssertEqual(model.used, .cpu)
    let words = try XCTUnwrap(model.fallBack).description
    XCTAssertTrue(words.hasPrefix("Neural Engine is not used:"), words)
  }

  func testAModelThatMissesOnTheCPUAsWellIsRefused() async throws {
    let source = EchoSource(wrong: [.ane, .cpu])
    do {
      _ = try await loader(SmallBundle(for: self), source).load(precision: "fp16", units: .ane) {
        _ in
      }
      XCTFail("a wrong model was taken")
    } catch let error as AppError {
      XCTAssertEqual(error.description, "The self-test gave 30.1 dB; 45.0 dB are needed.")
    }
  }

  func testA8BitFileHasALowerGate() async throws {
    let source = EchoSource(wrong: [.ane])
    let bundle = try SmallBundle(for: self, precisions: ["int8"])
    let (_, model) = try await loader(bundle, source).load(precision: "int8", units: .ane) { _ in }
    XCTAssertEqual(model.used, .ane)
  }

  func testAUnitThatEndedTheLastStartIsNotTriedAgainUntilTheSystemChanges() async throws {
    let bundle = try SmallBundle(for: self)
    let spec = try BundleReader(folder: bundle.folder).generator(precision: "fp16")
    let file = bundle.folder.appendingPathComponent("starts.json")
    StartRecord(file: file, system: "17.0").begin("\(spec.sha256) ane")  // and there it died

    for (system, used) in [("17.0", ComputeUnits.cpu), ("17.0", .cpu), ("17.1", .ane)] {
      let (_, model) = try await loader(bundle, EchoSource(), system: system)
        .load(precision: "fp16", units: .ane) { _ in }
      XCTAssertEqual(model.used, used)
      XCTAssertEqual(model.fallBack != nil, used == .cpu)
    }
  }

  func testADamagedBundleIsRefusedBeforeAnythingIsCompiled() async throws {
    let bundle = try SmallBundle(for: self)
    let ready = try loader(bundle, EchoSource())
    try bundle.write(Data("[]".utf8), "generator-fp16.mlpackage/Manifest.json")
    let heard = Heard()
    do {
      _ = try await ready.load(precision: "fp16", units: .ane) { await heard.hear($0) }
      XCTFail("a damaged model was taken")
    } catch let error as AppError {
      XCTAssertEqual(error.notice, .damaged("generator-fp16.mlpackage"))
    }
    let states = await heard.states
    XCTAssertEqual(states, [.checking])
  }
}

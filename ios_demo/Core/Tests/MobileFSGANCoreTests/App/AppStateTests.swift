import XCTest

@testable import MobileFSGANCore

final class AppStateTests: XCTestCase {
  private let model = ReadyModel(
    file: "generator-fp16.mlpackage", precision: "fp16", requested: .ane, used: .ane,
    test: SelfTest(psnrDB: 58.6, maxAbs: 0.01))

  private func live() -> AppState {
    var state = AppState()
    for event in [
      AppEvent.model(.ready(model)), .camera(.wanted), .camera(.allowed), .camera(.started),
    ] { _ = state.handle(event) }
    return state
  }

  func testFramesAreSwappedWhileCameraAndModelAreReady() {
    XCTAssertTrue(live().swapsFrames)
    XCTAssertEqual(live().notices, [])
    var state = live()
    _ = state.handle(.camera(.interrupted(.other)))
    XCTAssertFalse(state.swapsFrames)
  }

  func testAHotPhoneHalvesTheFrameRateAndSaysSo() {
    var state = live()
    XCTAssertEqual(state.handle(.thermal(.fair)), [])
    XCTAssertEqual(state.handle(.thermal(.serious)), [.takeOneFrameOf(2)])
    XCTAssertEqual(state.notices.map(\.description), ["The phone is hot: half the frame rate."])
    XCTAssertEqual(state.handle(.thermal(.critical)), [.takeOneFrameOf(4)])
    XCTAssertEqual(state.handle(.thermal(.nominal)), [.takeOneFrameOf(1)])
    XCTAssertEqual(state.notices, [])
  }

  func testAMemoryWarningDropsCachesAndIsSaid() {
    var state = live()
    XCTAssertEqual(state.handle(.memoryWarning), [.dropCaches])
    XCTAssertEqual(state.notices, [.memoryIsShort])
    XCTAssertTrue(state.swapsFrames)
    _ = state.handle(.memoryIsFine)
    XCTAssertEqual(state.notices, [])
  }

  func testAMemoryWarningInTheBackgroundUnloadsTheModelUntilTheAppIsBack() {
    var state = live()
    XCTAssertEqual(state.handle(.background), [.camera(.stop)])
    XCTAssertEqual(state.handle(.memoryWarning), [.dropCaches, .unloadModel])
    XCTAssertEqual(state.handle(.foreground), [.loadModel, .camera(.askForPermission)])
  }

  func testTheModelStaysThroughABackgroundWithoutAMemoryWarning() {
    var state = live()
    _ = state.handle(.background)
    XCTAssertFalse(state.swapsFrames)
    XCTAssertEqual(state.handle(.foreground), [.camera(.askForPermission)])
    XCTAssertEqual(state.model, .ready(model))
  }

  func testTheOverlayNamesTheUnitsAskedForAndThoseThatCompute() {
    let ops = ["cpu": 2, "neuralEngine": 80]
    func summary(_ used: ComputeUnits) -> String {
      ReadyModel(
        file: "f", precision: "fp16", requested: .ane, used: used,
        test: SelfTest(psnrDB: 50, maxAbs: 0), operations: ops
      ).summary
    }
    XCTAssertEqual(summary(.ane), "fp16, Neural Engine, neuralEngine 80, cpu 2")
    XCTAssertEqual(summary(.cpu), "fp16, Neural Engine → CPU, neuralEngine 80, cpu 2")
  }

  func testAModelThatFailedIsSaidFirst() {
    var state = live()
    _ = state.handle(.thermal(.serious))
    _ = state.handle(.model(.failed(.noGolden)))
    XCTAssertEqual(state.notices, [.noGolden, .hot])
    XCTAssertFalse(state.swapsFrames)
  }
}

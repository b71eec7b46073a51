import XCTest

@testable import MobileFSGANCore

final class CameraStateTests: XCTestCase {
  private func running() -> CameraState {
    var state = CameraState.off
    for event in [CameraEvent.wanted, .allowed, .started] { _ = state.handle(event) }
    return state
  }

  func testTheCameraStartsOnceTheUserAllowsIt() {
    var state = CameraState.off
    XCTAssertEqual(state.handle(.wanted), [.askForPermission])
    XCTAssertEqual(state, .asking)
    XCTAssertEqual(state.handle(.allowed), [.start])
    XCTAssertEqual(state.handle(.started), [])
    XCTAssertEqual(state, .running)
  }

  func testARefusalIsSaidAndAskedAgainWhenTheUserComesBack() {
    var state = CameraState.off
    _ = state.handle(.wanted)
    XCTAssertEqual(state.handle(.refused), [])
    XCTAssertEqual(state.notice, .cameraDenied)
    _ = state.handle(.background)
    XCTAssertEqual(state.handle(.foreground), [.askForPermission])
  }

  func testAnInterruptionIsSaidAndEndsByItself() {
    var state = running()
    XCTAssertEqual(state.handle(.interrupted(.inUse)), [])
    XCTAssertEqual(state.notice, .cameraInUse)
    XCTAssertEqual(state.handle(.interruptionEnded), [])
    XCTAssertEqual(state, .running)
  }

  func testTheCameraStopsInTheBackgroundAndComesBack() {
    var state = running()
    XCTAssertEqual(state.handle(.background), [.stop])
    XCTAssertEqual(state, .paused)
    XCTAssertEqual(state.handle(.foreground), [.askForPermission])
    XCTAssertEqual(state.handle(.allowed), [.start])
  }

  func testAPictureThatTheUserStoppedStaysStoppedInTheForeground() {
    var state = running()
    XCTAssertEqual(state.handle(.stoppedByUser), [.stop])
    _ = state.handle(.background)
    XCTAssertEqual(state.handle(.foreground), [])
    XCTAssertEqual(state.handle(.resumedByUser), [.askForPermission])
  }

  func testAnAnswerThatComesInTheBackgroundStartsNothing() {
    var state = CameraState.off
    _ = state.handle(.wanted)
    _ = state.handle(.background)
    XCTAssertEqual(state.handle(.allowed), [])
    XCTAssertEqual(state.handle(.foreground), [.askForPermission])
  }

  func testAFailureHasItsReasonAndStopsTheSession() {
    var state = running()
    XCTAssertEqual(state.handle(.failed("no device")), [.stop])
    XCTAssertEqual(state.notice?.description, "The camera does not start: no device")
    XCTAssertEqual(state.handle(.resumedByUser), [.askForPermission])
  }

  func testTheCameraIsOffWhilePhotosAreSwapped() {
    var state = running()
    XCTAssertEqual(state.handle(.notWanted), [.stop])
    XCTAssertEqual(state, .off)
    XCTAssertEqual(state.handle(.foreground), [])
  }
}

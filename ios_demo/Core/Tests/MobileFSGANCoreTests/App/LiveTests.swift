import XCTest

@testable import MobileFSGANCore

final class LiveTests: XCTestCase {
  private func face(_ x: Double = 100, _ y: Double = 100, yaw: Double = 0) -> FoundFace {
    let outline = [(0.0, 0.0), (80, 0), (80, 100), (0, 100)].map {
      Point(x: x + $0.0, y: y + $0.1)
    }
    let points = [(20.0, 40.0), (60, 40), (40, 60), (25, 80), (55, 80)].map {
      Point(x: x + $0.0, y: y + $0.1)
    }
    return FoundFace(points: points, outline: outline, yaw: yaw)
  }

  func testAFaceThatIsMissedIsHeldForSomeFramesAndThenGone() {
    var held = HeldFace()
    _ = held.step(face(), seconds: 0)
    for frame in 1...HeldFace.heldFrames {
      XCTAssertEqual(held.step(nil, seconds: Double(frame) / 30), face())
    }
    XCTAssertNil(held.step(nil, seconds: 1))
  }

  func testAFaceThatRestsTremblesLess() throws {
    var held = HeldFace()
    _ = held.step(face(), seconds: 0)
    var largest = 0.0
    for frame in 1...30 {
      let noise = frame % 2 == 0 ? 1.0 : -1.0
      let shown = try XCTUnwrap(held.step(face(100 + noise), seconds: Double(frame) / 30))
      largest = max(largest, abs(shown.points[0].x - 120))
    }
    XCTAssertLessThan(largest, 0.8)
  }

  func testAnotherFaceIsShownAtOnceWhereItIs() {
    var held = HeldFace()
    _ = held.step(face(), seconds: 0)
    XCTAssertEqual(held.step(face(400, 300), seconds: 1 / 30), face(400, 300))
  }

  func testASwapFadesOutBetween45And60Degrees() {
    let degree = Double.pi / 180
    XCTAssertEqual(face(yaw: 30 * degree).frontal, 1)
    XCTAssertEqual(face(yaw: -52.5 * degree).frontal, 0.5, accuracy: 1e-9)
    XCTAssertEqual(face(yaw: 61 * degree).frontal, 0)
  }

  func testAForeheadIsAddedOnTheSideAwayFromTheChin() throws {
    let contour = [(0.0, 0.0), (10, 60), (50, 100), (90, 60), (100, 0)].map {
      Point(x: $0.0, y: $0.1)
    }
    let added = FoundFace.withForehead(contour).dropFirst(contour.count)
    XCTAssertEqual(try XCTUnwrap(added.map(\.y).min()), -52, accuracy: 1e-9)
    XCTAssertTrue(added.allSatisfy { $0.x > 0 && $0.x < 100 && $0.y < 0 })
    // The same upside down.
    let turned = contour.map { Point(x: -$0.x, y: -$0.y) }
    XCTAssertEqual(
      try XCTUnwrap(FoundFace.withForehead(turned).map(\.y).max()), 52, accuracy: 1e-9)
  }

  func testTheReadingIsOfTheLastSecond() throws {
    var reading = LiveReading()
    XCTAssertNil(reading.framesPerSecond)
    for frame in 0..<60 {
      var times = StageTimes()
      times.totalMs = frame < 30 ? 100 : 20
      reading.add(times, at: Double(frame) / 25)
    }
    XCTAssertEqual(try XCTUnwrap(reading.framesPerSecond), 25, accuracy: 1e-6)
    XCTAssertEqual(reading.mean.totalMs, 20, accuracy: 1e-6)
    reading.add(StageTimes(), at: 0)  // the clock began again
    XCTAssertNil(reading.framesPerSecond)
  }
}

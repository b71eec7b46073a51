import XCTest

@testable import MobileFSGANCore

final class FrameSchedulerTests: XCTestCase {
  func testOneFrameIsInFlightAndOnlyTheNewestWaits() {
    var scheduler = FrameScheduler<Int>()
    XCTAssertEqual(scheduler.offer(1), 1)
    XCTAssertNil(scheduler.offer(2))
    XCTAssertNil(scheduler.offer(3))
    XCTAssertEqual(scheduler.finish(), 3)
    XCTAssertNil(scheduler.finish())
    XCTAssertEqual(scheduler.dropped, 1)
    XCTAssertEqual(scheduler.offer(4), 4)
  }

  func testAHotPhoneTakesEverySecondFrame() {
    var scheduler = FrameScheduler<Int>()
    scheduler.framesPerSwap = Thermal.serious.framesPerSwap
    var taken: [Int] = []
    for frame in 0..<10 {
      if let begun = scheduler.offer(frame) {
        taken.append(begun)
        XCTAssertNil(scheduler.finish())
      }
    }
    XCTAssertEqual(taken, [0, 2, 4, 6, 8])
  }

  func testAPausedSchedulerForgetsTheFrameThatWaits() {
    var scheduler = FrameScheduler<Int>()
    _ = scheduler.offer(1)
    _ = scheduler.offer(2)
    scheduler.pause()
    XCTAssertNil(scheduler.finish())
    XCTAssertEqual(scheduler.offer(3), 3)
  }
}

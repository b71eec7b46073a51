import Foundation
import MobileFSGANCore

/// The frame scheduler behind a lock: the camera's queue offers, a task finishes.
final class FrameGate: @unchecked Sendable {  // the lock guards the scheduler
  private let lock = NSLock()
  private var scheduler = FrameScheduler<CameraFrame>()

  func offer(_ frame: CameraFrame) -> CameraFrame? { lock.withLock { scheduler.offer(frame) } }
  func finish() -> CameraFrame? { lock.withLock { scheduler.finish() } }
  func pause() { lock.withLock { scheduler.pause() } }
  func takeOneFrame(of frames: Int) { lock.withLock { scheduler.framesPerSwap = frames } }
}

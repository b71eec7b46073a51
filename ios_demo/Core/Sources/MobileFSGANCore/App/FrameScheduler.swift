/// Decides which camera frames are swapped. One swap runs at a time; of the frames that arrive
/// meanwhile only the newest waits.
public struct FrameScheduler<Frame: Sendable>: Sendable {
  /// Every n-th frame is taken; see `Thermal.framesPerSwap`.
  public var framesPerSwap = 1
  public private(set) var dropped = 0
  private var offered = 0
  private var isBusy = false
  private var waiting: Frame?

  public init() {}

  /// A frame arrives.
  ///
  /// - Returns: the frame if its swap has to begin now. Otherwise it waits or is dropped.
  public mutating func offer(_ frame: Frame) -> Frame? {
    offered += 1
    guard (offered - 1) % max(framesPerSwap, 1) == 0 else {
      dropped += 1
      return nil
    }
    guard isBusy else {
      isBusy = true
      return frame
    }
    if waiting != nil { dropped += 1 }
    waiting = frame
    return nil
  }

  /// The swap of a frame has ended.
  ///
  /// - Returns: the frame whose swap has to begin now.
  public mutating func finish() -> Frame? {
    let next = waiting
    waiting = nil
    isBusy = next != nil
    return next
  }

  /// Drop the waiting frame, because the camera stopped. A running swap still calls `finish`.
  public mutating func pause() {
    if waiting != nil { dropped += 1 }
    waiting = nil
  }
}

import Foundation

/// A clock that never jumps, in milliseconds.
@Sendable public func monotonicMs() -> Double {
  Double(DispatchTime.now().uptimeNanoseconds) / 1e6
}

/// Milliseconds that the stages of one frame took.
public struct StageTimes: Equatable, Sendable {
  public var detectMs = 0.0
  public var alignMs = 0.0
  public var generateMs = 0.0
  public var blendMs = 0.0
  public var totalMs = 0.0

  public init() {}
}

/// What the overlay shows: frames per second, and the mean of every stage over the last second.
public struct LiveReading: Equatable, Sendable {
  private var frames: [(times: StageTimes, seconds: Double)] = []

  public init() {}

  /// A frame was shown.
  ///
  /// - Parameter seconds: when it was taken. A clock that jumps back starts the reading again.
  public mutating func add(_ times: StageTimes, at seconds: Double) {
    if let last = frames.last, seconds <= last.seconds { frames = [] }
    frames.append((times, seconds))
    frames.removeAll { $0.seconds < seconds - 1 }
  }

  /// Nil before there are two frames.
  public var framesPerSecond: Double? {
    guard let first = frames.first, let last = frames.last, frames.count > 1 else { return nil }
    return Double(frames.count - 1) / (last.seconds - first.seconds)
  }

  public var mean: StageTimes {
    var mean = StageTimes()
    for (times, _) in frames {
      mean.detectMs += times.detectMs / Double(frames.count)
      mean.alignMs += times.alignMs / Double(frames.count)
      mean.generateMs += times.generateMs / Double(frames.count)
      mean.blendMs += times.blendMs / Double(frames.count)
      mean.totalMs += times.totalMs / Double(frames.count)
    }
    return mean
  }

  public static func == (one: LiveReading, other: LiveReading) -> Bool {
    one.frames.elementsEqual(other.frames) { $0 == $1 }
  }
}

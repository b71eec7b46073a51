/// The landmarks of one face through the frames, held still where the face rests.
///
/// One Euro filter (Casiez, Roussel, Vogel, CHI 2012): still points are smoothed much, moving ones
/// hardly. The same as in pipeline/faces/tracking.py.
public struct OneEuro: Sendable {
  private static let stillHz = 1.5
  /// Speed is in sizes of the face per second.
  private static let hzPerSpeed = 30.0
  private static let speedHz = 1.0
  /// Where a clock stands still or jumps.
  private static let usualSeconds = 1 / 25.0

  private var smooth: [Point]
  private var speed: [Point]

  /// - Parameter points: as first seen.
  public init(_ points: [Point]) {
    smooth = points
    speed = Array(repeating: Point(x: 0, y: 0), count: points.count)
  }

  /// Take in the next frame.
  ///
  /// - Parameters:
  ///   - points: as seen now, as many as at first.
  ///   - seconds: since the last frame.
  /// - Returns: as to be shown.
  public mutating func step(_ points: [Point], seconds: Double) -> [Point] {
    precondition(points.count == smooth.count, "\(smooth.count) points, as at first")
    let elapsed = seconds > 0 && seconds < 1 ? seconds : Self.usualSeconds
    let size = elapsed * max(Self.side(of: points), 1e-9)
    let toSpeed = Self.share(Self.speedHz, elapsed)
    for i in points.indices {
      speed[i].x += toSpeed * ((points[i].x - smooth[i].x) / size - speed[i].x)
      speed[i].y += toSpeed * ((points[i].y - smooth[i].y) / size - speed[i].y)
    }
    // One cutoff for the whole face: points that moved apart would bend it.
    let pace = mean(of: speed)
    let cutoff = Self.stillHz + Self.hzPerSpeed * (pace.x * pace.x + pace.y * pace.y).squareRoot()
    let toPoints = Self.share(cutoff, elapsed)
    for i in points.indices {
      smooth[i].x += toPoints * (points[i].x - smooth[i].x)
      smooth[i].y += toPoints * (points[i].y - smooth[i].y)
    }
    return smooth
  }

  /// Longer edge of the box around the points.
  private static func side(of points: [Point]) -> Double {
    let (xs, ys) = (points.map(\.x), points.map(\.y))
    guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max()
    else { return 0 }
    return max(right - left, bottom - top)
  }

  /// How much of the new value a low-pass filter of the first order takes.
  private static func share(_ cutoffHz: Double, _ elapsed: Double) -> Double {
    1 / (1 + 1 / (2 * .pi * cutoffHz * elapsed))
  }
}

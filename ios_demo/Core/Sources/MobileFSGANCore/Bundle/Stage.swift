/// The latencies of one stage in a result row, in milliseconds.
public struct Stage: Codable, Equatable, Sendable {
  /// Measured runs.
  public let n: Int
  /// Mean.
  public let meanMs: Double
  /// Median.
  public let p50Ms: Double
  /// Nine of ten runs take at most this long.
  public let p90Ms: Double
  /// 99 of 100 runs take at most this long.
  public let p99Ms: Double
  /// Fastest run.
  public let minMs: Double
  /// Slowest run.
  public let maxMs: Double

  /// - Parameter latenciesMs: at least one; quantiles are interpolated linearly.
  public init(of latenciesMs: [Double]) {
    precondition(!latenciesMs.isEmpty, "at least one latency")
    let sorted = latenciesMs.sorted()
    n = sorted.count
    meanMs = sorted.reduce(0, +) / Double(n)
    p50Ms = Self.quantile(sorted, 0.5)
    p90Ms = Self.quantile(sorted, 0.9)
    p99Ms = Self.quantile(sorted, 0.99)
    (minMs, maxMs) = (sorted[0], sorted[n - 1])
  }

  private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }

  enum CodingKeys: String, CodingKey {
    case n
    case meanMs = "mean_ms"
    case p50Ms = "p50_ms"
    case p90Ms = "p90_ms"
    case p99Ms = "p99_ms"
    case minMs = "min_ms"
    case maxMs = "max_ms"
  }
}

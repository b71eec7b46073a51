import Foundation

/// One result: one model file on one choice of compute units. The keys are those of
/// benchmarks/harness/rows.py, where every one is explained.
public struct ResultRow: Codable, Equatable, Sendable {
  public var schema = 1
  public var source = "ios"
  public var device: Device
  public var app: App
  public var model: Model
  public var backend: Backend
  public var runs: Runs
  public var loadMs: Double?
  public var firstMs: Double?
  public var peakRSSMB: Double?
  /// By the names detect, align, generate, blend and total; empty for a row that failed.
  public var stages: [String: Stage] = [:]
  public var thermal: ThermalStates?
  public var check: Check?
  public var how = "measured"
  /// Why there is no latency.
  public var reason: String?
  /// ISO 8601.
  public var taken: String?
  public var tools: [String: String] = [:]

  public struct Device: Codable, Equatable, Sendable {
    public var model, os, soc: String
    public var cores: Int
    public init(model: String, os: String, soc: String, cores: Int) {
      (self.model, self.os, self.soc, self.cores) = (model, os, soc, cores)
    }
  }

  public struct App: Codable, Equatable, Sendable {
    public var version, commit: String
    public init(version: String, commit: String) {
      (self.version, self.commit) = (version, commit)
    }
  }

  public struct Model: Codable, Equatable, Sendable {
    public var name, file, sha256, format, precision: String
    public var bytes: Int
  }

  public struct Backend: Codable, Equatable, Sendable {
    public var requested, used: String
    /// Core ML chooses the number itself; 1 stands for "not set".
    public var threads = 1
    /// Number of operations by the unit that computes them; empty if the system does not report it.
    public var ops: [String: Int] = [:]
  }

  public struct Runs: Codable, Equatable, Sendable {
    public var warmup, n: Int
  }

  public struct ThermalStates: Codable, Equatable, Sendable {
    public var before, after: Thermal
  }

  public struct Check: Codable, Equatable, Sendable {
    /// Worst golden sample, peak 1.
    public var psnrDB: Double
    public var maxAbs: Double

    enum CodingKeys: String, CodingKey {
      case psnrDB = "psnr_db"
      case maxAbs = "max_abs"
    }
  }

  enum CodingKeys: String, CodingKey {
    case schema, source, device, app, model, backend, runs, stages, thermal, check, how, reason
    case taken, tools
    case loadMs = "load_ms"
    case firstMs = "first_ms"
    case peakRSSMB = "peak_rss_mb"
  }
}

/// A file of result rows: JSON lines, and a last line that says that the app is done.
public enum RowFile {
  /// The last line of a complete file.
  public static let done = #"{"done": true}"#

  /// The lines of `rows`, and `done` if no rows follow.
  public static func text(_ rows: [ResultRow], isComplete: Bool) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let lines = try rows.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
    return (lines + (isComplete ? [done] : [])).map { $0 + "\n" }.joined()
  }

  /// Write `rows`; a reader sees the file before or after, never half of it.
  public static func write(_ rows: [ResultRow], to file: URL, isComplete: Bool) throws {
    try Data(text(rows, isComplete: isComplete).utf8).write(to: file, options: .atomic)
  }
}

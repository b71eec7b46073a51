/// What `benchmarks/latency.py --device ios` asks for by launch arguments:
/// `--benchmark --runs N --out FILE`, and by hand `--units ane,cpu --precision fp16 --warmup N`.
public struct BenchmarkRequest: Equatable, Sendable {
  public var runs = 50
  public var warmup = 5
  /// A plain file name in the app's Documents folder.
  public var file = "rows.jsonl"
  public var units: [ComputeUnits] = [.ane, .gpu, .cpu]
  /// Empty: all that the bundle has.
  public var precisions: [String] = []

  public init() {}

  /// The request, nil where the app was started for its user.
  ///
  /// - Throws: `AppError` for an option that is not known or has a bad value. Arguments that do not
  ///   begin with `--` and are no values are Xcode's own and ignored.
  public init?(arguments: [String]) throws {
    guard arguments.contains("--benchmark") else { return nil }
    var rest = arguments.drop { $0 != "--benchmark" }.dropFirst()
    while let option = rest.popFirst() {
      guard option.hasPrefix("--") else { continue }
      guard let value = rest.popFirst() else { throw Self.bad(option, "nothing", "a value") }
      try set(option, value)
    }
  }

  private mutating func set(_ option: String, _ value: String) throws {
    let words = value.split(separator: ",").map(String.init)
    switch option {
    case "--runs": runs = try Self.count(option, value, least: 1)
    case "--warmup": warmup = try Self.count(option, value, least: 0)
    case "--precision": precisions = words
    case "--out":
      guard !value.isEmpty, !value.hasPrefix("."), !value.contains("/") else {
        throw Self.bad(option, value, "a plain file name")
      }
      file = value
    case "--units":
      units = try words.map { word in
        guard let unit = ComputeUnits(rawValue: word) else {
          throw Self.bad(
            option, word, ComputeUnits.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return unit
      }
    default:
      throw Self.bad(option, value, "--runs, --warmup, --out, --units or --precision")
    }
  }

  private static func count(_ option: String, _ value: String, least: Int) throws -> Int {
    guard let number = Int(value), (least...1_000_000).contains(number) else {
      throw bad(option, value, "a whole number of at least \(least)")
    }
    return number
  }

  private static func bad(_ option: String, _ value: String, _ expected: String) -> AppError {
    AppError(Notice("%@ is %@; expected %@.", option, value, expected))
  }
}

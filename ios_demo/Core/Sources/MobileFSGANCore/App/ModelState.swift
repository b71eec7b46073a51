/// Progress of loading the generator. Every state carries what the screen shows.
public enum ModelState: Equatable, Sendable {
  case undetermined
  /// Size and SHA-256 of the files are compared with the manifest.
  case checking
  /// Core ML compiles a package for this phone; once per file.
  case compiling(file: String)
  case loading(file: String, units: ComputeUnits)
  /// The golden samples are replayed.
  case testing(file: String, units: ComputeUnits)
  case ready(ReadyModel)
  case failed(Notice)

  /// The generator, nil while there is none.
  public var ready: ReadyModel? {
    if case .ready(let model) = self { model } else { nil }
  }
}

/// The generator that swaps now.
public struct ReadyModel: Equatable, Sendable {
  public let file: String
  public let precision: String
  /// What the user asked for; nil for the fastest.
  public let requested: ComputeUnits?
  /// What Core ML uses.
  public let used: ComputeUnits
  public let test: SelfTest
  /// Number of operations by the unit that Core ML plans; empty if the system does not report it.
  public let operations: [String: Int]
  /// All results: self-tests that were passed, and why the other units are not used.
  public let tests: [Notice]
  /// Why the CPU is used instead of other units; nil if it is not.
  public let fallBack: Notice?

  public init(
    file: String, precision: String, requested: ComputeUnits?, used: ComputeUnits, test: SelfTest,
    operations: [String: Int] = [:], tests: [Notice] = [], fallBack: Notice? = nil
  ) {
    self.file = file
    self.precision = precision
    self.requested = requested
    self.used = used
    self.test = test
    self.operations = operations
    self.tests = tests
    self.fallBack = fallBack
  }

  /// Precision, units asked for and used, operations: "fp16, GPU → CPU, cpu 82".
  public var summary: String {
    let asked = requested.map { $0 == used ? "" : "\($0.name) → " } ?? ""
    let most = operations.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return ([precision, asked + used.name] + most.map { "\($0.key) \($0.value)" }).joined(
      separator: ", ")
  }
}

import Foundation

/// Measures every generator of a bundle on every choice of compute units.
public struct Benchmark: Sendable {
  public struct Facts: Sendable {
    public var device: ResultRow.Device
    public var app: ResultRow.App
    public var tools: [String: String]
    public init(device: ResultRow.Device, app: ResultRow.App, tools: [String: String]) {
      (self.device, self.app, self.tools) = (device, app, tools)
    }
  }

  /// What the benchmark reads while it runs.
  public struct Gauges: Sendable {
    /// A clock that never jumps, in milliseconds.
    public var nowMs: @Sendable () -> Double
    public var peakRSSMB: @Sendable () -> Double?
    public var thermal: @Sendable () -> Thermal
    public var date: @Sendable () -> Date

    public init(
      nowMs: @escaping @Sendable () -> Double, peakRSSMB: @escaping @Sendable () -> Double?,
      thermal: @escaping @Sendable () -> Thermal, date: @escaping @Sendable () -> Date
    ) {
      (self.nowMs, self.peakRSSMB) = (nowMs, peakRSSMB)
      (self.thermal, self.date) = (thermal, date)
    }
  }

  let bundle: BundleReader
  let source: any GeneratorSource
  let facts: Facts
  let gauges: Gauges

  public init(
    bundle: BundleReader, source: any GeneratorSource, facts: Facts, gauges: Gauges
  ) {
    (self.bundle, self.source, self.facts, self.gauges) = (bundle, source, facts, gauges)
  }

  /// Measure, and write the rows to `file` after every model, the last time with the line "done".
  ///
  /// - Parameter tell: hears the name of every row before it is measured.
  public func run(
    _ request: BenchmarkRequest, into file: URL, tell: @Sendable (String) async -> Void = { _ in }
  ) async throws -> [ResultRow] {
    var rows: [ResultRow] = []
    for spec in bundle.generators where wanted(spec, request) {
      for units in request.units {
        await tell("\(spec.file), \(units.name)")
        rows.append(await row(spec, units, request))
        try RowFile.write(rows, to: file, isComplete: false)
      }
    }
    try RowFile.write(rows, to: file, isComplete: true)
    return rows
  }

  /// A file with one row that says why nothing could be measured, so that whoever waits for it
  /// learns the reason.
  public static func writeFailure(_ why: Notice, _ facts: Facts, to file: URL) throws {
    var row = ResultRow(
      device: facts.device, app: facts.app,
      model: ResultRow.Model(
        name: "generator", file: "", sha256: "", format: "mlpackage", precision: "fp16", bytes: 0),
      backend: ResultRow.Backend(requested: "coreml", used: "none"),
      runs: ResultRow.Runs(warmup: 0, n: 0))
    row.reason = why.description
    try RowFile.write([row], to: file, isComplete: true)
  }

  private func wanted(_ spec: ModelSpec, _ request: BenchmarkRequest) -> Bool {
    request.precisions.isEmpty || request.precisions.contains(spec.precision)
  }

  /// The row of one model on one choice of units; a failure becomes the row's reason.
  private func row(_ spec: ModelSpec, _ units: ComputeUnits, _ request: BenchmarkRequest) async
    -> ResultRow
  {
    let name = "coreml-\(units.rawValue)"
    var row = ResultRow(
      device: facts.device, app: facts.app,
      model: ResultRow.Model(
        name: spec.model, file: spec.file, sha256: spec.sha256, format: spec.format,
        precision: spec.precision, bytes: spec.bytes),
      backend: ResultRow.Backend(requested: name, used: name),
      runs: ResultRow.Runs(warmup: request.warmup, n: request.runs))
    row.tools = facts.tools
    row.taken = ISO8601DateFormatter().string(from: gauges.date())
    do {
      try await measure(spec, units, request, into: &row)
    } catch {
      row.reason = Notice(of: error).description
      row.stages = [:]
    }
    return row
  }

  private func measure(
    _ spec: ModelSpec, _ units: ComputeUnits, _ request: BenchmarkRequest, into row: inout ResultRow
  ) async throws {
    let file = try bundle.checkedFile(spec)
    let samples = try bundle.golden()
    guard let sample = samples.first else { throw AppError(.noGolden) }
    let before = gauges.thermal()

    let started = gauges.nowMs()
    let generator = try await source.generator(spec, at: file, units: units) { _ in }
    row.loadMs = gauges.nowMs() - started
    row.firstMs = try await frame(generator, sample).total
    row.backend.ops = await generator.operations

    for _ in 0..<request.warmup { _ = try await frame(generator, sample) }
    var (total, runtime): ([Double], [Double]) = ([], [])
    for number in 0..<request.runs {
      let times = try await frame(generator, samples[number % samples.count])
      total.append(times.total)
      runtime.append(times.runtime)
    }
    row.stages = ["generate": Stage(of: runtime), "total": Stage(of: total)]
    row.peakRSSMB = gauges.peakRSSMB()
    row.thermal = ResultRow.ThermalStates(before: before, after: gauges.thermal())
    let test = try await SelfTest.run(generator, samples)
    row.check = ResultRow.Check(psnrDB: test.psnrDB, maxAbs: test.maxAbs)
  }

  private func frame(_ generator: any FaceGenerator, _ sample: GoldenSample) async throws
    -> (total: Double, runtime: Double)
  {
    let started = gauges.nowMs()
    let made = try await generator.generate(target: sample.target, embedding: sample.embedding)
    return (gauges.nowMs() - started, made.runtimeMs)
  }
}

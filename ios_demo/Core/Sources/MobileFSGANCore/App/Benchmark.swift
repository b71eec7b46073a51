import Foundation

/// Measures every generator of a bundle on every choice of compute units.
public struct Benchmark: Sendable {
  let bundle: BundleReader
  let source: any GeneratorSource
  let finder: any FrameFinder
  let facts: Facts
  let gauges: Gauges

  public init(
    bundle: BundleReader, source: any GeneratorSource, finder: any FrameFinder, facts: Facts,
    gauges: Gauges
  ) {
    (self.bundle, self.source, self.finder) = (bundle, source, finder)
    (self.facts, self.gauges) = (facts, gauges)
  }

  /// Measure. After every row `file` is written again; at the end with the line `RowFile.done`.
  ///
  /// - Parameter tell: called with the name of every row before it is measured.
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

  /// Write a file with one row that says why nothing could be measured. Without it the command that
  /// waits for the rows would wait until its time is over.
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
    let before = gauges.thermal()

    let started = Started(gauges.nowMs())
    let generator = try await source.generator(spec, at: file, units: units) { state in
      // Compiling happens once per file, and does not count as loading.
      if case .loading = state { started.set(gauges.nowMs()) }
    }
    row.loadMs = gauges.nowMs() - started.ms
    let frames = try samples.map { try frame($0, generator) }
    row.firstMs = try await frames[0]().totalMs
    row.backend.ops = await generator.operations

    for _ in 0..<request.warmup { _ = try await frames[0]() }
    var times: [StageTimes] = []
    for number in 0..<request.runs { times.append(try await frames[number % frames.count]()) }
    row.stages = [
      "detect": Stage(of: times.map(\.detectMs)), "align": Stage(of: times.map(\.alignMs)),
      "generate": Stage(of: times.map(\.generateMs)), "blend": Stage(of: times.map(\.blendMs)),
      "total": Stage(of: times.map(\.totalMs)),
    ]
    row.peakRSSMB = gauges.peakRSSMB()
    row.thermal = ResultRow.ThermalStates(before: before, after: gauges.thermal())
    let test = try await SelfTest.run(generator, samples)
    row.check = ResultRow.Check(psnrDB: test.psnrDB, maxAbs: test.maxAbs)
  }

  /// A swap in a whole frame, ready to be timed.
  private func frame(_ sample: GoldenSample, _ generator: any FaceGenerator) throws
    -> () async throws -> StageTimes
  {
    let swapper = FaceSwapper(
      manifest: bundle.manifest, generator: generator, nowMs: gauges.nowMs)
    let test = try TestFrame(sample.target, align: bundle.manifest.align)
    let find = try finder.finder(for: test.picture)
    return {
      var (picture, times) = (test.picture, StageTimes())
      let started = gauges.nowMs()
      let face = try find() ?? test.face
      times.detectMs = gauges.nowMs() - started
      try await swapper.swap(&picture, face, sample.embedding, &times)
      times.totalMs = gauges.nowMs() - started
      return times
    }
  }
}

/// When loading began.
private final class Started: @unchecked Sendable {  // the lock guards the value
  private let lock = NSLock()
  private var value: Double

  init(_ ms: Double) { value = ms }

  var ms: Double { lock.withLock { value } }

  func set(_ ms: Double) { lock.withLock { value = ms } }
}

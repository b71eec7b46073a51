import XCTest

@testable import MobileFSGANCore

final class BenchmarkTests: XCTestCase {
  /// A clock that a frame moves by 8.25 ms.
  private final class Clock: @unchecked Sendable {
    private var ms = 0.0
    func tick() -> Double {
      ms += 8.25
      return ms
    }
  }

  /// Sees nothing, so that the face is taken where the test frame has it.
  private struct NoFinder: FrameFinder {
    func finder(for picture: Picture) throws -> @Sendable () throws -> FoundFace? { { nil } }
  }

  private func rows(_ source: EchoSource, _ file: URL, _ bundle: SmallBundle) async throws
    -> [ResultRow]
  {
    let clock = Clock()
    let benchmark = Benchmark(
      bundle: try BundleReader(folder: bundle.folder), source: source, finder: NoFinder(),
      facts: Benchmark.Facts(
        device: ResultRow.Device(model: "iPhone15,2", os: "iOS 17.5", soc: "arm64e", cores: 6),
        app: ResultRow.App(version: "1.0", commit: "0123abc"), tools: ["coreml": "17.5"]),
      gauges: Benchmark.Gauges(
        nowMs: { clock.tick() }, peakRSSMB: { 180.5 }, thermal: { .nominal },
        date: { Date(timeIntervalSince1970: 1_767_225_600) }))
    let request = try XCTUnwrap(
      BenchmarkRequest(arguments: ["--benchmark", "--runs", "4", "--out", file.lastPathComponent]))
    return try await benchmark.run(request, into: file)
  }

  func testEveryModelIsMeasuredOnEveryUnitAndCheckedOnGoldenSamples() async throws {
    let bundle = try SmallBundle(for: self, precisions: ["fp16", "int8"])
    let file = bundle.folder.appendingPathComponent("rows.jsonl")
    let rows = try await rows(EchoSource(), file, bundle)
    XCTAssertEqual(
      rows.map(\.backend.requested),
      ["coreml-ane", "coreml-gpu", "coreml-cpu", "coreml-ane", "coreml-gpu", "coreml-cpu"])
    XCTAssertEqual(rows.map(\.model.precision), ["fp16", "fp16", "fp16", "int8", "int8", "int8"])
    let row = try XCTUnwrap(rows.first)
    XCTAssertEqual(row.runs, ResultRow.Runs(warmup: 5, n: 4))
    XCTAssertEqual(row.backend.ops, ["neuralEngine": 80, "cpu": 2])
    XCTAssertEqual(row.thermal, ResultRow.ThermalStates(before: .nominal, after: .nominal))
    XCTAssertEqual(try XCTUnwrap(row.check).maxAbs, 0, accuracy: 1e-6)
    XCTAssertNil(row.reason)
    XCTAssertEqual(Set(row.stages.keys), ["detect", "align", "generate", "blend", "total"])
    XCTAssertEqual(row.loadMs, 8.25)  // from the end of compiling
  }

  func testAUnitThatDoesNotLoadIsARowWithItsReason() async throws {
    let bundle = try SmallBundle(for: self)
    let file = bundle.folder.appendingPathComponent("rows.jsonl")
    let rows = try await rows(EchoSource(broken: [.gpu]), file, bundle)
    XCTAssertEqual(rows.map(\.reason), [nil, "no such device", nil])
    XCTAssertEqual(rows[1].stages, [:])
  }

  func testTheLastLineSaysThatTheAppIsDone() throws {
    XCTAssertEqual(try RowFile.text([], isComplete: false), "")
    XCTAssertEqual(try RowFile.text([], isComplete: true), "{\"done\": true}\n")
  }

  /// tests/test_ios_rows.py replays this file to benchmarks/latency.py. Written again with
  /// `WRITE_ROWS=1 ios_demo/swift test --package-path ios_demo/Core --filter BenchmarkTests`.
  func testTheCommittedRowsAreThoseThatThisCodeWrites() async throws {
    let committed = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../rows.jsonl").standardized
    let bundle = try SmallBundle(for: self, precisions: ["fp16", "int8"])
    let file = bundle.folder.appendingPathComponent("rows.jsonl")
    _ = try await rows(EchoSource(broken: [.gpu]), file, bundle)
    let written = try String(contentsOf: file, encoding: .utf8)
    if ProcessInfo.processInfo.environment["WRITE_ROWS"] != nil {
      try written.write(to: committed, atomically: true, encoding: .utf8)
    }
    XCTAssertEqual(try String(contentsOf: committed, encoding: .utf8), written)
  }
}

import XCTest

@testable import MobileFSGANCore

final class BenchmarkRequestTests: XCTestCase {
  func testAUsersStartIsNoBenchmark() throws {
    XCTAssertNil(try BenchmarkRequest(arguments: ["MobileFSGAN", "-NSDocumentRevisionsDebugMode"]))
  }

  /// The very words of benchmarks/harness/devices.py.
  func testTheArgumentsOfTheLatencyCommandAreRead() throws {
    let request = try XCTUnwrap(
      BenchmarkRequest(
        arguments: ["MobileFSGAN", "--benchmark", "--runs", "7", "--out", "rows-12.jsonl"]))
    XCTAssertEqual(request.runs, 7)
    XCTAssertEqual(request.file, "rows-12.jsonl")
    XCTAssertEqual(request.units, [.ane, .gpu, .cpu])
    XCTAssertEqual(request.precisions, [])
  }

  func testUnitsAndPrecisionsCanBeChosen() throws {
    let request = try XCTUnwrap(
      BenchmarkRequest(
        arguments: ["--benchmark", "--units", "gpu,all", "--precision", "fp16", "--warmup", "0"]))
    XCTAssertEqual(request.units, [.gpu, .all])
    XCTAssertEqual(request.precisions, ["fp16"])
    XCTAssertEqual(request.warmup, 0)
  }

  func testABadOptionIsRefusedInWords() {
    for (arguments, words) in [
      (["--runs", "0"], "--runs is 0; expected a whole number of at least 1."),
      (["--runs"], "--runs is nothing; expected a value."),
      (["--out", "../rows"], "--out is ../rows; expected a plain file name."),
      (["--units", "npu"], "--units is npu; expected ane, gpu, cpu, all."),
      (["--fast", "yes"], "--fast is yes; expected --runs"),
    ] {
      XCTAssertThrowsError(try BenchmarkRequest(arguments: ["--benchmark"] + arguments)) { error in
        XCTAssertTrue("\(error)".hasPrefix(words), "\(error)")
      }
    }
  }
}

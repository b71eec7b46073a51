import Foundation
import XCTest

@testable import MobileFSGANCore

/// A bundle in a temporary folder: generators of 16 x 16 pixels, and one golden sample.
struct SmallBundle {
  static let target: [UInt8] = (0..<768).map { UInt8($0 % 240) }
  let folder: URL

  /// - Parameter test: when it has ended the folder goes.
  init(for test: XCTestCase, precisions: [String] = ["fp16"], schema: Int = 1) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    self.folder = folder
    test.addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
    try write(golden, "golden/index.json")
    try write(Data(Self.target), "golden/0-target.u8")
    try write(Self.little([1, 0]), "golden/0-embedding.f32")
    try write(Self.little(Self.target.map { Float($0) / 255 }), "golden/0-image.f32")
    var models: [String] = []
    for (name, precision) in precisions.map({ ("generator", $0) }) + [("identity", "fp32")] {
      let file = "\(name)-\(precision).mlpackage"
      try write(Data("a model, \(precision)".utf8), "\(file)/Data/weights/weight.bin")
      try write(Data("{}".utf8), "\(file)/Manifest.json")
      models.append(try model(name, file, precision))
    }
    try write(manifest(models, schema), "manifest.json")
  }

  func write(_ data: Data, _ path: String) throws {
    let place = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: place)
  }

  private static func little(_ values: [Float]) -> Data {
    values.reduce(into: Data()) { data, value in
      withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }
  }

  private let golden = Data(
    """
    {"samples": [{
      "target": {"file": "0-target.u8", "dtype": "uint8", "shape": [1, 16, 16, 3]},
      "embedding": {"file": "0-embedding.f32", "dtype": "float32", "shape": [1, 2]},
      "image": {"file": "0-image.f32", "dtype": "float32", "shape": [1, 16, 16, 3]}}]}
    """.utf8)

  private func model(_ name: String, _ file: String, _ precision: String) throws -> String {
    let digest = try FileDigest(of: folder.appendingPathComponent(file))
    let picture = """
      "shape": [1, 16, 16, 3], "layout": "NHWC", "dtype": "uint8", "range": [0, 255], \
      "color": "RGB", "scale": null, "zero_point": null
      """
    return """
      {"model": "\(name)", "file": "\(file)", "format": "mlpackage", "precision": "\(precision)",
       "sha256": "\(digest.sha256)", "bytes": \(digest.bytes),
       "inputs": [{"name": "target", "description": "", \(picture)},
        {"name": "embedding", "description": "", "shape": [1, 2], "layout": "NC",
         "dtype": "float32", "range": [-1, 1], "color": null, "scale": null, "zero_point": null}],
       "outputs": [{"name": "image", "description": "", \(picture)}],
       "parity": {"measured": "interpreted", "samples": 1, "psnr_db": 58.6}}
      """
  }

  private func manifest(_ models: [String], _ schema: Int) -> Data {
    Data(
      """
      {"schema": \(schema), "name": "small", "version": "0", "created": "2026-01-01T00:00:00+00:00",
       "checkpoint": {"file": "small.pt", "sha256": "00"}, "identity_checkpoint": null, "tools": {},
       "align": {"size": 16, "template": [[4, 5], [11, 5], [8, 9], [5, 12], [10, 12]]},
       "identity": {"start": 0, "stop": 16, "size": 16}, "notice": "synthetic",
       "models": [\(models.joined(separator: ","))]}
      """.utf8)
  }
}

/// A generator that gives its target back, `off` levels too bright.
struct Echo: FaceGenerator {
  var off: UInt8 = 0
  var ms = 7.0
  var operations: [String: Int] { ["neuralEngine": 80, "cpu": 2] }

  func generate(target: [UInt8], embedding: [Float]) async throws -> GeneratedFace {
    GeneratedFace(picture: target.map { $0 &+ off }, runtimeMs: ms)
  }
}

/// Loads an `Echo`; units may fail to load, or compute something else.
struct EchoSource: GeneratorSource {
  var broken: Set<ComputeUnits> = []
  var wrong: Set<ComputeUnits> = []
  var ms: [ComputeUnits: Double] = [:]

  func generator(
    _ spec: ModelSpec, at file: URL, units: ComputeUnits,
    tell: @Sendable @escaping (ModelState) async -> Void
  ) async throws -> any FaceGenerator {
    if broken.contains(units) { throw AppError(Notice("no such device")) }
    await tell(.compiling(file: spec.file))
    await tell(.loading(file: spec.file, units: units))
    return Echo(off: wrong.contains(units) ? 8 : 0, ms: ms[units] ?? 7)
  }
}

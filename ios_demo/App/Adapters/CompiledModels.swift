import CoreML
import Foundation
import MobileFSGANCore

/// Compiles packages for this phone and loads them, off the main thread. A compiled model is kept
/// by the SHA-256 of its package, so a bundle keeps its layout and a second start is fast.
actor CompiledModels: GeneratorSource {
  private let folder: URL

  init(folder: URL) {
    self.folder = folder
  }

  func generator(
    _ spec: ModelSpec, at file: URL, units: ComputeUnits,
    tell: @Sendable @escaping (ModelState) async -> Void
  ) async throws -> any FaceGenerator {
    let (model, operations) = try await load(spec, at: file, units: units, tell: tell)
    return try CoreMLGenerator(model: model, spec: spec, operations: operations)
  }

  /// The identity encoder runs once per source, so the CPU is fast enough.
  func encoder(_ spec: ModelSpec, at file: URL) async throws -> CoreMLIdentityEncoder {
    let (model, _) = try await load(spec, at: file, units: .cpu) { _ in }
    return try CoreMLIdentityEncoder(model: model, spec: spec)
  }

  private func load(
    _ spec: ModelSpec, at file: URL, units: ComputeUnits,
    tell: @Sendable (ModelState) async -> Void
  ) async throws -> (MLModel, [String: Int]) {
    let place = folder.appendingPathComponent("\(spec.sha256).mlmodelc")
    if !FileManager.default.fileExists(atPath: place.path) {
      await tell(.compiling(file: spec.file))
      try await compile(file, to: place)
    }
    await tell(.loading(file: spec.file, units: units))
    let configuration = MLModelConfiguration()
    configuration.computeUnits = MLComputeUnits(units)
    let model = try await MLModel.load(contentsOf: place, configuration: configuration)
    return (model, await plannedOperations(of: place, configuration))
  }

  private func compile(_ file: URL, to place: URL) async throws {
    let temporary = try await MLModel.compileModel(at: file)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // Another load may have compiled the same package meanwhile.
    if FileManager.default.fileExists(atPath: place.path) {
      try FileManager.default.removeItem(at: temporary)
    } else {
      try FileManager.default.moveItem(at: temporary, to: place)
    }
  }

  /// Drop the compiled models of bundles that were replaced.
  func keepOnly(_ manifest: Manifest) {
    let wanted = Set(manifest.models.map { "\($0.sha256).mlmodelc" })
    let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in found where !wanted.contains(name) {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }
}

extension MLComputeUnits {
  init(_ units: ComputeUnits) {
    switch units {
    case .ane: self = .cpuAndNeuralEngine
    case .gpu: self = .cpuAndGPU
    case .cpu: self = .cpuOnly
    case .all: self = .all
    }
  }
}

import Foundation

/// A loaded generator. The app's implementation runs Core ML; tests have their own.
public protocol FaceGenerator: Sendable {
  /// Paint an identity onto a face.
  ///
  /// - Parameters:
  ///   - target: aligned face, size x size RGB, 0 to 255.
  ///   - embedding: unit L2 norm, as long as the manifest says.
  func generate(target: [UInt8], embedding: [Float]) async throws -> GeneratedFace

  /// Number of operations by the unit that computes them; empty if the system does not report it.
  var operations: [String: Int] { get async }
}

/// What a generator made.
public struct GeneratedFace: Equatable, Sendable {
  /// As `target`.
  public var picture: [UInt8]
  /// The runtime's own call, without the copies around it.
  public var runtimeMs: Double

  public init(picture: [UInt8], runtimeMs: Double) {
    self.picture = picture
    self.runtimeMs = runtimeMs
  }
}

/// Loads generators.
public protocol GeneratorSource: Sendable {
  /// - Parameters:
  ///   - file: checked against the manifest.
  ///   - tell: called before a package is compiled, and before it is loaded.
  func generator(
    _ spec: ModelSpec, at file: URL, units: ComputeUnits,
    tell: @Sendable @escaping (ModelState) async -> Void
  ) async throws -> any FaceGenerator
}

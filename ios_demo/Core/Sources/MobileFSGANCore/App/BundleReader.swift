import Foundation

/// A bundle folder that `python -m export` made: manifest, models, golden samples. The same code
/// reads the one that ships with the app and one that was imported from Files.
public struct BundleReader: Sendable {
  public let folder: URL
  public let manifest: Manifest

  /// Read the manifest; the models are checked when they are used.
  ///
  /// - Throws: `AppError` with the reason: no manifest, another schema, a broken one, a file that
  ///   is missing.
  public init(folder: URL) throws {
    self.folder = folder
    let file = folder.appendingPathComponent("manifest.json")
    guard FileManager.default.fileExists(atPath: file.path) else { throw AppError(.noBundle) }
    guard let data = try? Data(contentsOf: file) else {
      throw AppError(.unreadable("manifest.json"))
    }
    do {
      manifest = try Manifest(json: data)
    } catch {
      throw AppError(.badManifest(Notice(of: error)))
    }
    for spec in manifest.models where spec.format == "mlpackage" {
      guard FileManager.default.fileExists(atPath: folder.appendingPathComponent(spec.file).path)
      else { throw AppError(.missing(spec.file)) }
    }
  }

  /// The plain generators for Core ML, not those with a baked identity, best precision first.
  public var generators: [ModelSpec] {
    let order = ["fp32", "fp16", "w8a8", "int8", "pal6"]
    return order.compactMap { precision in
      manifest.models.first { $0.file == "generator-\(precision).mlpackage" }
    }
  }

  /// - Throws: `AppError` where the bundle has none of that precision.
  public func generator(precision: String) throws -> ModelSpec {
    guard let spec = generators.first(where: { $0.precision == precision }) else {
      throw AppError(.noModel("generator-\(precision).mlpackage"))
    }
    return spec
  }

  /// The identity encoder in the best precision of the bundle. It runs once per source.
  public func identity() throws -> ModelSpec {
    for precision in ["fp32", "fp16", "int8"] {
      let file = "identity-\(precision).mlpackage"
      if let spec = manifest.models.first(where: { $0.file == file }) { return spec }
    }
    throw AppError(.noModel("identity-fp32.mlpackage"))
  }

  /// Inputs with PyTorch's pictures.
  ///
  /// - Throws: `AppError` if there are none, or their size is not that of the manifest.
  public func golden() throws -> [GoldenSample] {
    let samples = try GoldenSample.read(folder: folder.appendingPathComponent("golden"))
    let count = manifest.align.size * manifest.align.size * 3
    guard samples.allSatisfy({ $0.target.count == count }) else { throw AppError(.noGolden) }
    return samples
  }

  /// The file of a model. Its size and SHA-256 are compared with the manifest first.
  public func checkedFile(_ spec: ModelSpec) throws -> URL {
    let file = folder.appendingPathComponent(spec.file)
    guard let digest = try? FileDigest(of: file) else { throw AppError(.unreadable(spec.file)) }
    guard digest.sha256 == spec.sha256, digest.bytes == spec.bytes else {
      throw AppError(.damaged(spec.file))
    }
    return file
  }
}

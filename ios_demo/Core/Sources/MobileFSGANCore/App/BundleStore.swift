import Foundation

/// Where the app finds its bundle: the one imported from Files, else the one that was built in.
public struct BundleStore: Sendable {
  /// A folder of the app's own; everything in it can be made again.
  public let home: URL
  /// The bundle that was built in, nil where there is none.
  public let shipped: URL?

  public init(home: URL, shipped: URL?) {
    (self.home, self.shipped) = (home, shipped)
  }

  private var imported: URL { home.appendingPathComponent("Bundle", isDirectory: true) }
  /// For models that Core ML compiled.
  public var compiled: URL { home.appendingPathComponent("Compiled", isDirectory: true) }
  /// For the `StartRecord`.
  public var record: URL { home.appendingPathComponent("starts.json") }

  /// - Throws: `AppError` where there is no bundle, or it is refused.
  public func open() throws -> BundleReader {
    if FileManager.default.fileExists(atPath: imported.path) {
      return try BundleReader(folder: imported)
    }
    guard let shipped else { throw AppError(.noBundle) }
    return try BundleReader(folder: shipped)
  }

  /// Copy a bundle that the user chose. The one before stays until the copy is checked.
  ///
  /// - Throws: `AppError` where it is no bundle, or a file is not the one of its manifest.
  public func take(_ chosen: URL) throws {
    _ = try BundleReader(folder: chosen)  // before anything is copied
    let files = FileManager.default
    let copy = home.appendingPathComponent("Bundle-\(UUID().uuidString)", isDirectory: true)
    defer { try? files.removeItem(at: copy) }
    try files.createDirectory(at: home, withIntermediateDirectories: true)
    try files.copyItem(at: chosen, to: copy)
    let bundle = try BundleReader(folder: copy)
    guard !bundle.generators.isEmpty else { throw AppError(.noModel("generator-*.mlpackage")) }
    for spec in try bundle.generators + [bundle.identity()] { _ = try bundle.checkedFile(spec) }
    try replaceImported(with: copy)
  }

  private func replaceImported(with copy: URL) throws {
    let files = FileManager.default
    let before = copy.appendingPathExtension("before")
    let hasBefore = files.fileExists(atPath: imported.path)
    if hasBefore { try files.moveItem(at: imported, to: before) }
    do {
      try files.moveItem(at: copy, to: imported)
    } catch {
      if hasBefore { try files.moveItem(at: before, to: imported) }
      throw error
    }
    try? files.removeItem(at: before)
  }

  /// Back to the bundle that was built in.
  public func forgetImported() throws {
    if FileManager.default.fileExists(atPath: imported.path) {
      try FileManager.default.removeItem(at: imported)
    }
  }
}

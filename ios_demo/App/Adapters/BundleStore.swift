import Foundation
import MobileFSGANCore

/// Where the app finds its bundle: the one imported from Files, else the one that was built in.
struct BundleStore: Sendable {
  /// Application Support of this app; everything in it can be made again.
  let home: URL

  static let standard = BundleStore(
    home: FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask)[0])

  private var imported: URL { home.appendingPathComponent("Bundle", isDirectory: true) }
  var compiled: URL { home.appendingPathComponent("Compiled", isDirectory: true) }
  var record: URL { home.appendingPathComponent("starts.json") }

  /// - Throws: `AppError` where there is no bundle, or it is refused.
  func open() throws -> BundleReader {
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    if FileManager.default.fileExists(atPath: imported.path) {
      return try BundleReader(folder: imported)
    }
    guard let shipped = Bundle.main.url(forResource: "Bundle", withExtension: nil) else {
      throw AppError(.noBundle)
    }
    return try BundleReader(folder: shipped)
  }

  /// Copy a bundle that the user chose in Files. The one before stays until the copy is checked.
  func take(_ chosen: URL) throws {
    let isScoped = chosen.startAccessingSecurityScopedResource()
    defer { if isScoped { chosen.stopAccessingSecurityScopedResource() } }
    let files = FileManager.default
    let copy = home.appendingPathComponent("Bundle-\(UUID().uuidString)", isDirectory: true)
    defer { try? files.removeItem(at: copy) }
    try files.copyItem(at: chosen, to: copy)
    let bundle = try BundleReader(folder: copy)
    for spec in bundle.generators { _ = try bundle.checkedFile(spec) }
    _ = try bundle.checkedFile(bundle.identity())
    if files.fileExists(atPath: imported.path) {
      _ = try files.replaceItemAt(imported, withItemAt: copy)
    } else {
      try files.moveItem(at: copy, to: imported)
    }
  }

  /// Back to the bundle that was built in.
  func forgetImported() throws {
    if FileManager.default.fileExists(atPath: imported.path) {
      try FileManager.default.removeItem(at: imported)
    }
  }
}

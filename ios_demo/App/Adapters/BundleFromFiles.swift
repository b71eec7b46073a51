import Foundation
import MobileFSGANCore

extension BundleStore {
  /// Application Support, and the folder `Bundle` of the app.
  static let standard = BundleStore(
    home: FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask)[0],
    shipped: Bundle.main.url(forResource: "Bundle", withExtension: nil))

  /// Copy a bundle that the user chose in Files, which lets the app read it until this returns.
  func take(chosenInFiles folder: URL) throws {
    let isScoped = folder.startAccessingSecurityScopedResource()
    defer { if isScoped { folder.stopAccessingSecurityScopedResource() } }
    try take(folder)
  }
}

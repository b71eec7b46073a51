import Foundation
import MobileFSGANCore
import Photos

enum PhotoLibrary {
  /// Add a picture file to the user's photos, with its metadata.
  ///
  /// - Throws: `AppError` where the user does not allow it.
  static func add(_ file: URL) async throws {
    guard await PHPhotoLibrary.requestAuthorization(for: .addOnly) == .authorized else {
      throw AppError(.photosDenied)
    }
    try await PHPhotoLibrary.shared().performChanges {
      PHAssetCreationRequest.forAsset().addResource(with: .photo, fileURL: file, options: nil)
    }
  }
}

@_exported import AppleBase

public enum PHAccessLevel: Int, Sendable {
  case addOnly = 1
  case readWrite
}
public enum PHAuthorizationStatus: Int, Sendable {
  case notDetermined, restricted, denied, authorized, limited
}
public enum PHAssetResourceType: Int, Sendable {
  case photo = 1
}
public final class PHAssetResourceCreationOptions {}

public final class PHPhotoLibrary {
  public static func shared() -> PHPhotoLibrary { fatalError() }
  public static func requestAuthorization(for level: PHAccessLevel) async -> PHAuthorizationStatus {
    fatalError()
  }
  public func performChanges(_ changes: @escaping @Sendable () -> Void) async throws {
    fatalError()
  }
}

public final class PHAssetCreationRequest {
  public static func forAsset() -> PHAssetCreationRequest { fatalError() }
  public func addResource(
    with type: PHAssetResourceType, fileURL: URL, options: PHAssetResourceCreationOptions?
  ) { fatalError() }
}

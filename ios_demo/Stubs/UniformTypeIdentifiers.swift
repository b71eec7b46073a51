@_exported import AppleBase

public struct UTType: Hashable, Sendable {
  public static var jpeg: UTType { fatalError() }
  public static var folder: UTType { fatalError() }
  public var identifier: String { fatalError() }
}

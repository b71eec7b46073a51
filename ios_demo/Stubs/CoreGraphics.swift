@_exported import AppleBase

public final class CGColorSpace {
  public static let sRGB: CFString = ""
  public init?(name: CFString) { fatalError() }
}

public enum CGImageAlphaInfo: UInt32 {
  case none, premultipliedLast, premultipliedFirst, last, first, noneSkipLast, noneSkipFirst
}

public struct CGBitmapInfo: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static var byteOrder32Little: CGBitmapInfo { fatalError() }
}

public final class CGImage {
  public var width: Int { fatalError() }
  public var height: Int { fatalError() }
}

public final class CGContext {
  public init?(
    data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int,
    bytesPerRow: Int, space: CGColorSpace, bitmapInfo: UInt32
  ) { fatalError() }
  public func draw(_ image: CGImage, in rect: CGRect) { fatalError() }
  public func makeImage() -> CGImage? { fatalError() }
  public func translateBy(x: CGFloat, y: CGFloat) { fatalError() }
  public func scaleBy(x: CGFloat, y: CGFloat) { fatalError() }
}

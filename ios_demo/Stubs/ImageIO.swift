@_exported import CoreGraphics

public final class CGImageSource {}
public final class CGImageDestination {}
public class CGImageMetadata {}
public final class CGMutableImageMetadata: CGImageMetadata {}
public final class CGImageMetadataTag {}

public let kCGImageSourceCreateThumbnailFromImageAlways: CFString = ""
public let kCGImageSourceCreateThumbnailWithTransform: CFString = ""
public let kCGImageSourceThumbnailMaxPixelSize: CFString = ""
public let kCGImageDestinationLossyCompressionQuality: CFString = ""

public func CGImageSourceCreateWithData(_ data: CFData, _ options: CFDictionary?)
  -> CGImageSource?
{ fatalError() }
public func CGImageSourceCreateThumbnailAtIndex(
  _ source: CGImageSource, _ index: Int, _ options: CFDictionary?
) -> CGImage? { fatalError() }
public func CGImageMetadataCreateMutable() -> CGMutableImageMetadata { fatalError() }
public func CGImageMetadataRegisterNamespaceForPrefix(
  _ metadata: CGMutableImageMetadata, _ namespace: CFString, _ prefix: CFString,
  _ error: UnsafeMutablePointer<Unmanaged<AnyObject>?>?
) -> Bool { fatalError() }
public func CGImageMetadataSetValueWithPath(
  _ metadata: CGMutableImageMetadata, _ parent: CGImageMetadataTag?, _ path: CFString,
  _ value: Any
) -> Bool { fatalError() }
public func CGImageDestinationCreateWithURL(
  _ url: CFURL, _ type: CFString, _ count: Int, _ options: CFDictionary?
) -> CGImageDestination? { fatalError() }
public func CGImageDestinationAddImageAndMetadata(
  _ destination: CGImageDestination, _ image: CGImage, _ metadata: CGImageMetadata?,
  _ options: CFDictionary?
) { fatalError() }
public func CGImageDestinationFinalize(_ destination: CGImageDestination) -> Bool { fatalError() }

@_exported import CoreVideo

public enum CGImagePropertyOrientation: UInt32, Sendable {
  case up = 1
}
public struct VNImageOption: Hashable, Sendable {}

open class VNRequest {
  public init() {}
}
public final class VNDetectFaceLandmarksRequest: VNRequest {
  public var results: [VNFaceObservation]? { fatalError() }
}

public final class VNImageRequestHandler {
  public init(
    cvPixelBuffer: CVPixelBuffer, orientation: CGImagePropertyOrientation,
    options: [VNImageOption: Any] = [:]
  ) { fatalError() }
  public func perform(_ requests: [VNRequest]) throws { fatalError() }
}

public final class VNFaceObservation {
  public var confidence: Float { fatalError() }
  public var landmarks: VNFaceLandmarks2D? { fatalError() }
  public var yaw: NSNumber? { fatalError() }
}

public final class VNFaceLandmarks2D {
  public var leftPupil: VNFaceLandmarkRegion2D? { fatalError() }
  public var rightPupil: VNFaceLandmarkRegion2D? { fatalError() }
  public var noseCrest: VNFaceLandmarkRegion2D? { fatalError() }
  public var outerLips: VNFaceLandmarkRegion2D? { fatalError() }
  public var faceContour: VNFaceLandmarkRegion2D? { fatalError() }
}

public final class VNFaceLandmarkRegion2D {
  public func pointsInImage(imageSize: CGSize) -> [CGPoint] { fatalError() }
}

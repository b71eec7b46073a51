import CoreVideo
import MobileFSGANCore

/// Finds faces in an upright picture. The app's is `VisionFaceFinder`; Core ML packages of the
/// detectors that the other apps use would fit as well.
protocol FaceFinding: Sendable {
  /// The faces, largest first.
  func faces(in buffer: CVPixelBuffer) throws -> [FoundFace]
}

import CoreVideo
import Foundation
import MobileFSGANCore
import Vision

/// Finds faces with the system's Vision framework.
struct VisionFaceFinder: FaceFinding {
  func faces(in buffer: CVPixelBuffer) throws -> [FoundFace] {
    let request = VNDetectFaceLandmarksRequest()
    try VNImageRequestHandler(cvPixelBuffer: buffer, orientation: .up, options: [:])
      .perform([request])
    let size = CGSize(width: buffer.width, height: buffer.height)
    return (request.results ?? [])
      .compactMap { FoundFace($0, in: size) }
      .sorted { $0.side > $1.side }
  }
}

extension VisionFaceFinder: FrameFinder {
  func finder(for picture: Picture) throws -> @Sendable () throws -> FoundFace? {
    let buffer = try PixelBufferPool(width: picture.width, height: picture.height).buffer()
    try buffer.fill(picture.data)
    let frame = CameraFrame(buffer: buffer, seconds: 0)
    return { try faces(in: frame.buffer).first }
  }
}

extension FoundFace {
  /// Nil where Vision is not sure, or does not see all of the landmarks.
  init?(_ observation: VNFaceObservation, in size: CGSize) {
    guard observation.confidence >= 0.5, let landmarks = observation.landmarks,
      let leftPupil = landmarks.leftPupil, let rightPupil = landmarks.rightPupil,
      let noseCrest = landmarks.noseCrest, let outerLips = landmarks.outerLips,
      let contour = landmarks.faceContour
    else { return nil }
    // MacTypes.h declares another `Point`.
    typealias Point = MobileFSGANCore.Point
    func points(_ region: VNFaceLandmarkRegion2D) -> [Point] {
      // Vision counts y from the bottom, and pixel edges; the pipeline counts pixel centres.
      region.pointsInImage(imageSize: size).map {
        Point(x: $0.x - 0.5, y: size.height - $0.y - 0.5)
      }
    }
    self.init(
      leftPupil: points(leftPupil), rightPupil: points(rightPupil), noseCrest: points(noseCrest),
      outerLips: points(outerLips), contour: points(contour),
      yaw: observation.yaw?.doubleValue ?? 0)
  }
}

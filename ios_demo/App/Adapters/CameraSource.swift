import CoreVideo
import MobileFSGANCore

/// One picture of the camera, upright, mirrored if it is the front camera's.
struct CameraFrame: @unchecked Sendable {  // nobody writes into the buffer any more
  let buffer: CVPixelBuffer
  /// When it was taken, on a clock that never jumps.
  let seconds: Double
}

enum CameraPosition: String, CaseIterable, Codable, Sendable {
  case front
  case back
}

/// A camera. The phone's is `PhoneCamera`; AppTests have a `StillCamera`.
protocol CameraSource: AnyObject, Sendable {
  /// Called on a queue of the camera's own.
  var onFrame: (@Sendable (CameraFrame) -> Void)? { get set }
  var onEvent: (@Sendable (CameraEvent) -> Void)? { get set }

  /// Answers with the event `allowed` or `refused`.
  func askForPermission()
  func start(_ position: CameraPosition)
  func stop()
}

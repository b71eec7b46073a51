@_exported import CoreVideo

// Core Media
public final class CMSampleBuffer {}
public struct CMTime: Sendable {}
public func CMSampleBufferGetImageBuffer(_ buffer: CMSampleBuffer) -> CVImageBuffer? {
  fatalError()
}
public func CMSampleBufferGetPresentationTimeStamp(_ buffer: CMSampleBuffer) -> CMTime {
  fatalError()
}
public func CMTimeGetSeconds(_ time: CMTime) -> Double { fatalError() }

// AVFoundation
public struct AVMediaType: Sendable {
  public static var video: AVMediaType { fatalError() }
}

open class CALayer {}

public final class AVCaptureDevice {
  public struct DeviceType: Sendable {
    public static var builtInWideAngleCamera: DeviceType { fatalError() }
  }
  public enum Position: Int, Sendable {
    case unspecified, back, front
  }
  public static func `default`(
    _ type: DeviceType, for media: AVMediaType?, position: Position
  ) -> AVCaptureDevice? { fatalError() }
  public static func requestAccess(
    for media: AVMediaType, completionHandler: @escaping @Sendable (Bool) -> Void
  ) { fatalError() }

  public final class RotationCoordinator: NSObject {
    public init(device: AVCaptureDevice, previewLayer: CALayer?) { fatalError() }
    public var videoRotationAngleForHorizonLevelCapture: CGFloat { fatalError() }
  }
}

open class AVCaptureInput {}
public final class AVCaptureDeviceInput: AVCaptureInput {
  public init(device: AVCaptureDevice) throws { fatalError() }
}

open class AVCaptureOutput: Equatable {
  public static func == (one: AVCaptureOutput, other: AVCaptureOutput) -> Bool { fatalError() }
  public func connection(with media: AVMediaType) -> AVCaptureConnection? { fatalError() }
}
public final class AVCaptureVideoDataOutput: AVCaptureOutput {
  public override init() {}
  public var videoSettings: [String: Any]! = [:]
  public var alwaysDiscardsLateVideoFrames = true
  public func setSampleBufferDelegate(
    _ delegate: (any AVCaptureVideoDataOutputSampleBufferDelegate)?, queue: DispatchQueue?
  ) { fatalError() }
}

public protocol AVCaptureVideoDataOutputSampleBufferDelegate: NSObjectProtocol {
  // Optional in Objective-C. Required here, so that a misspelt one is found.
  func captureOutput(
    _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer,
    from connection: AVCaptureConnection)
}

public final class AVCaptureConnection {
  public var automaticallyAdjustsVideoMirroring = true
  public var isVideoMirrored = false
  public var isVideoMirroringSupported: Bool { fatalError() }
  public var videoRotationAngle: CGFloat = 0
  public func isVideoRotationAngleSupported(_ angle: CGFloat) -> Bool { fatalError() }
}

public let AVCaptureSessionInterruptionReasonKey = ""
public let AVCaptureSessionErrorKey = ""

public final class AVCaptureSession: NSObject {
  public struct Preset: Sendable {
    public static var hd1280x720: Preset { fatalError() }
  }
  public enum InterruptionReason: Int, Sendable {
    case videoDeviceNotAvailableInBackground = 1
    case audioDeviceInUseByAnotherClient
    case videoDeviceInUseByAnotherClient
    case videoDeviceNotAvailableWithMultipleForegroundApps
    case videoDeviceNotAvailableDueToSystemPressure
  }
  public static let wasInterruptedNotification = Notification.Name("")
  public static let interruptionEndedNotification = Notification.Name("")
  public static let runtimeErrorNotification = Notification.Name("")

  public var sessionPreset: Preset {
    get { fatalError() }
    set { fatalError() }
  }
  public var inputs: [AVCaptureInput] { fatalError() }
  public var outputs: [AVCaptureOutput] { fatalError() }
  public var isRunning: Bool { fatalError() }
  public func beginConfiguration() { fatalError() }
  public func commitConfiguration() { fatalError() }
  public func canSetSessionPreset(_ preset: Preset) -> Bool { fatalError() }
  public func canAddInput(_ input: AVCaptureInput) -> Bool { fatalError() }
  public func addInput(_ input: AVCaptureInput) { fatalError() }
  public func removeInput(_ input: AVCaptureInput) { fatalError() }
  public func canAddOutput(_ output: AVCaptureOutput) -> Bool { fatalError() }
  public func addOutput(_ output: AVCaptureOutput) { fatalError() }
  public func startRunning() { fatalError() }
  public func stopRunning() { fatalError() }
}

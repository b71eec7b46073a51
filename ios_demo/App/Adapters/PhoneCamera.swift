import AVFoundation
import Foundation
import MobileFSGANCore

/// The phone's camera: 1280 x 720, BGRA, upright, late frames dropped.
///
/// Everything happens on one queue, because starting a session blocks.
final class PhoneCamera: NSObject, CameraSource, @unchecked Sendable {
  var onFrame: (@Sendable (CameraFrame) -> Void)?
  var onEvent: (@Sendable (CameraEvent) -> Void)?
  private let session = AVCaptureSession()
  private let output = AVCaptureVideoDataOutput()
  private let queue = DispatchQueue(label: "org.mobilefsgan.camera", qos: .userInitiated)
  private var turns: AVCaptureDevice.RotationCoordinator?
  private var observers: [any NSObjectProtocol] = []

  override init() {
    super.init()
    observe()
  }

  deinit { observers.forEach { NotificationCenter.default.removeObserver($0) } }

  func askForPermission() {
    AVCaptureDevice.requestAccess(for: .video) { [weak self] isAllowed in
      self?.onEvent?(isAllowed ? .allowed : .refused)
    }
  }

  func start(_ position: CameraPosition) {
    queue.async { [self] in
      do {
        try configure(position)
        session.startRunning()
        onEvent?(session.isRunning ? .started : .failed("the session did not start"))
      } catch {
        onEvent?(.failed(Notice(of: error).description))
      }
    }
  }

  func stop() {
    queue.async { [self] in session.stopRunning() }
  }

  private func configure(_ position: CameraPosition) throws {
    session.beginConfiguration()
    defer { session.commitConfiguration() }
    session.inputs.forEach { session.removeInput($0) }
    guard
      let device = AVCaptureDevice.default(
        .builtInWideAngleCamera, for: .video, position: position == .front ? .front : .back)
    else { throw CameraError.noDevice }
    let input = try AVCaptureDeviceInput(device: device)
    guard session.canAddInput(input), session.canSetSessionPreset(.hd1280x720) else {
      throw CameraError.notUsable
    }
    session.sessionPreset = .hd1280x720
    session.addInput(input)
    try addOutput()
    let turns = AVCaptureDevice.RotationCoordinator(device: device, previewLayer: nil)
    self.turns = turns
    if let connection = output.connection(with: .video) {
      connection.automaticallyAdjustsVideoMirroring = false
      connection.isVideoMirrored = position == .front
      turn(connection, by: turns.videoRotationAngleForHorizonLevelCapture)
    }
  }

  private func addOutput() throws {
    guard !session.outputs.contains(output) else { return }
    guard session.canAddOutput(output) else { throw CameraError.notUsable }
    output.videoSettings = [kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA]
    output.alwaysDiscardsLateVideoFrames = true
    output.setSampleBufferDelegate(self, queue: queue)
    session.addOutput(output)
  }

  private func turn(_ connection: AVCaptureConnection, by angle: CGFloat) {
    if connection.videoRotationAngle != angle, connection.isVideoRotationAngleSupported(angle) {
      connection.videoRotationAngle = angle
    }
  }
}

extension PhoneCamera: AVCaptureVideoDataOutputSampleBufferDelegate {
  func captureOutput(
    _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer,
    from connection: AVCaptureConnection
  ) {
    // The phone may have been turned; the next frame comes upright.
    if let angle = turns?.videoRotationAngleForHorizonLevelCapture { turn(connection, by: angle) }
    guard let buffer = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
    let time = CMSampleBufferGetPresentationTimeStamp(sampleBuffer)
    onFrame?(CameraFrame(buffer: buffer, seconds: CMTimeGetSeconds(time)))
  }
}

extension PhoneCamera {
  private func observe() {
    listen(AVCaptureSession.wasInterruptedNotification) { notification in
      let key = AVCaptureSessionInterruptionReasonKey
      let reason = (notification.userInfo?[key] as? Int)
        .flatMap(AVCaptureSession.InterruptionReason.init(rawValue:))
      return CameraInterruption(reason).map(CameraEvent.interrupted)
    }
    listen(AVCaptureSession.interruptionEndedNotification) { _ in .interruptionEnded }
    listen(AVCaptureSession.runtimeErrorNotification) { notification in
      let error = notification.userInfo?[AVCaptureSessionErrorKey] as? NSError
      return .failed(error?.localizedDescription ?? "unknown")
    }
  }

  private func listen(
    _ name: Notification.Name, _ event: @escaping @Sendable (Notification) -> CameraEvent?
  ) {
    observers.append(
      NotificationCenter.default.addObserver(forName: name, object: session, queue: nil) {
        [weak self] notification in
        if let event = event(notification) { self?.onEvent?(event) }
      })
  }
}

extension CameraInterruption {
  /// Nil for the background, which the app handles itself.
  init?(_ reason: AVCaptureSession.InterruptionReason?) {
    switch reason {
    case .videoDeviceNotAvailableInBackground: return nil
    case .videoDeviceInUseByAnotherClient: self = .inUse
    case .videoDeviceNotAvailableWithMultipleForegroundApps: self = .splitView
    case .videoDeviceNotAvailableDueToSystemPressure: self = .tooHot
    default: self = .other
    }
  }
}

enum CameraError: Error, CustomStringConvertible {
  case noDevice
  case notUsable

  var description: String {
    switch self {
    case .noDevice: "this device has no such camera"
    case .notUsable: "the camera does not give 1280 x 720 pictures"
    }
  }
}

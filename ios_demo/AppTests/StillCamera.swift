import Foundation
import MobileFSGANCore

@testable import MobileFSGAN

/// A camera that shows the same picture 30 times a second, for simulators, which have no camera.
final class StillCamera: CameraSource, @unchecked Sendable {  // all on its queue
  var onFrame: (@Sendable (CameraFrame) -> Void)?
  var onEvent: (@Sendable (CameraEvent) -> Void)?
  private let picture: Picture
  private let isAllowed: Bool
  private let queue = DispatchQueue(label: "org.mobilefsgan.still-camera")
  private var timer: DispatchSourceTimer?

  init(_ picture: Picture, isAllowed: Bool = true) {
    (self.picture, self.isAllowed) = (picture, isAllowed)
  }

  func askForPermission() { onEvent?(isAllowed ? .allowed : .refused) }

  func start(_ position: CameraPosition) {
    queue.async { [self] in
      guard
        let buffer = try? PixelBufferPool(width: picture.width, height: picture.height).buffer(),
        (try? buffer.fill(picture.data)) != nil
      else { return }
      let timer = DispatchSource.makeTimerSource(queue: queue)
      timer.schedule(deadline: .now(), repeating: 1.0 / 30)
      timer.setEventHandler { [weak self] in
        self?.onFrame?(CameraFrame(buffer: buffer, seconds: ProcessInfo.processInfo.systemUptime))
      }
      timer.resume()
      self.timer = timer
      onEvent?(.started)
    }
  }

  func stop() {
    queue.async { [self] in
      timer?.cancel()
      timer = nil
    }
  }
}

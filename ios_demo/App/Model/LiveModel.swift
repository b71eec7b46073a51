import CoreGraphics
import Foundation
import MobileFSGANCore
import Observation

/// The live picture: one camera frame in flight, only the newest waits.
@MainActor @Observable
final class LiveModel {
  private(set) var picture: SwappedPicture?
  private(set) var reading = LiveReading()
  private(set) var error: Notice?

  @ObservationIgnored private let engine: SwapEngine
  @ObservationIgnored private let gate = FrameGate()
  @ObservationIgnored private(set) var newest: CameraFrame?
  @ObservationIgnored private var swaps = false
  @ObservationIgnored private var identity: [Float]?
  @ObservationIgnored private var provenance = Provenance()

  init(engine: SwapEngine) {
    self.engine = engine
  }

  /// Called on the camera's queue.
  nonisolated func offer(_ frame: CameraFrame) {
    guard let first = gate.offer(frame) else { return }
    Task {
      var next: CameraFrame? = first
      while let frame = next {
        await show(frame)
        next = gate.finish()
      }
    }
  }

  func update(swaps: Bool, identity: [Float]?, _ settings: Settings) {
    (self.swaps, self.identity) = (swaps, identity)
    provenance = Provenance(hasBadge: settings.hasBadge)
  }

  func takeOneFrame(of frames: Int) { gate.takeOneFrame(of: frames) }

  func pause() {
    gate.pause()
    newest = nil
    reading = LiveReading()
  }

  private func show(_ frame: CameraFrame) async {
    newest = frame
    do {
      // Without a source, or while the model loads, the picture is shown as it is.
      if swaps, let identity {
        let swapped = try await engine.swap(
          frame: frame, identity: identity, provenance: provenance)
        reading.add(swapped.times, at: frame.seconds)
        picture = swapped
      } else {
        picture = try await engine.plain(frame)
      }
      error = nil
    } catch {
      self.error = Notice(of: error)
    }
  }
}

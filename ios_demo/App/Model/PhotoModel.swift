import CoreVideo
import Foundation
import MobileFSGANCore
import Observation

/// The photo that was swapped last, ready to share.
@MainActor @Observable
final class PhotoModel {
  private(set) var picture: SwappedPicture?
  /// A JPEG with its label.
  private(set) var file: URL?
  private(set) var isBusy = false

  @ObservationIgnored private let engine: SwapEngine

  init(engine: SwapEngine) {
    self.engine = engine
  }

  func swap(_ photo: CVPixelBuffer, _ identity: [Float], _ provenance: Provenance) async throws {
    isBusy = true
    defer { isBusy = false }
    forget()
    let swapped = try await engine.swap(photo: photo, identity: identity, provenance: provenance)
    file = try PictureFile.write(swapped.after)
    picture = swapped
  }

  func forget() {
    if let file { try? FileManager.default.removeItem(at: file) }
    (picture, file) = (nil, nil)
  }
}

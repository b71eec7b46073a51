import CoreVideo
import Foundation
import MobileFSGANCore

/// What the user can do. What goes wrong becomes an alert.
extension AppModel {
  /// Take the largest face of a picture as the source.
  func useSource(_ picture: CVPixelBuffer) async {
    do {
      let identity = try await engine.identity(of: picture)
      source = Source(picture: try picture.image(), identity: identity)
      live.update(swaps: state.swapsFrames, identity: identity, settings)
    } catch {
      alert = Notice(of: error)
    }
  }

  /// Take the largest face of a photo as the source.
  func useSource(_ photo: Data) async {
    do {
      await useSource(try PictureFile.read(photo))
    } catch {
      alert = Notice(of: error)
    }
  }

  /// Take the face that the camera shows as the source.
  func useCameraAsSource() async {
    guard let frame = live.newest else { return }
    await useSource(frame.buffer)
  }

  /// Swap in a photo of the library.
  func swap(_ data: Data) async {
    guard let source else {
      alert = .noSource
      return
    }
    do {
      let provenance = Provenance(hasBadge: settings.hasBadge)
      try await photo.swap(PictureFile.read(data), source.identity, provenance)
    } catch {
      alert = Notice(of: error)
    }
  }

  /// Import a bundle folder, and load it.
  func importBundle(_ folder: URL) async {
    let store = store
    do {
      try await Task.detached { try store.take(chosenInFiles: folder) }.value
      load()
    } catch {
      alert = Notice(of: error)
    }
  }

  /// Back to the bundle that was built in.
  func forgetImportedBundle() {
    do {
      try store.forgetImported()
      load()
    } catch {
      alert = Notice(of: error)
    }
  }

  /// Test all units again.
  func tryAgain() {
    record.forget()
    load()
  }

  /// Save a picture to the user's photos.
  func save(_ picture: SwappedPicture) async {
    do {
      let file = try PictureFile.write(picture.after)
      defer { try? FileManager.default.removeItem(at: file) }
      try await PhotoLibrary.add(file)
      alert = .saved
    } catch {
      alert = Notice(of: error)
    }
  }
}

import CoreVideo
import Foundation
import MobileFSGANCore
import Observation

/// Holds the state of the app, and does what its state machine asks for.
@MainActor @Observable
final class AppModel {
  private(set) var state = AppState()
  /// What an action of the user ended with, until the user has read it.
  var alert: Notice?
  private(set) var source: Source?
  let live: LiveModel
  let photo: PhotoModel
  var settings: Settings {
    didSet { settingsChanged(from: oldValue) }
  }
  private(set) var bundle: BundleReader?

  @ObservationIgnored private let engine: SwapEngine
  @ObservationIgnored private let store: BundleStore
  @ObservationIgnored private let camera: any CameraSource
  /// One for the whole start: a second one would take a load that runs for one that died.
  @ObservationIgnored private let record: StartRecord
  @ObservationIgnored private var loading: Task<Void, Never>?

  init(camera: any CameraSource, finder: any FaceFinding, store: BundleStore = .standard) {
    engine = SwapEngine(finder: finder, models: CompiledModels(folder: store.compiled))
    (self.camera, self.store) = (camera, store)
    record = StartRecord(
      file: store.record, system: ProcessInfo.processInfo.operatingSystemVersionString)
    settings = Settings.saved()
    live = LiveModel(engine: engine)
    photo = PhotoModel(engine: engine)
    camera.onFrame = { [live] frame in live.offer(frame) }
    camera.onEvent = { [weak self] event in
      Task { @MainActor in self?.handle(.camera(event)) }
    }
  }

  /// Tell the state machine what happened, and do what it asks for.
  func handle(_ event: AppEvent) {
    let effects = state.handle(event)
    effects.forEach(perform)
    live.update(swaps: state.swapsFrames, identity: source?.identity, settings)
  }

  private func perform(_ effect: AppEffect) {
    switch effect {
    case .camera(.askForPermission): camera.askForPermission()
    case .camera(.start): camera.start(settings.camera)
    case .camera(.stop): stopCamera()
    case .loadModel: load()
    case .unloadModel: Task { await engine.unload() }
    case .dropCaches: dropCaches()
    case .takeOneFrameOf(let frames): live.takeOneFrame(of: frames)
    }
  }

  private func stopCamera() {
    camera.stop()
    live.pause()
  }

  private func dropCaches() {
    photo.forget()
    Task {
      await engine.dropCaches()
      try? await Task.sleep(for: .seconds(10))
      handle(.memoryIsFine)
    }
  }

  /// Load the model of the settings; a load that still runs is given up.
  func load() {
    let before = loading
    before?.cancel()
    handle(.model(.checking))
    loading = Task {
      await before?.value
      do {
        let bundle = try store.open()
        self.bundle = bundle
        let ready = try await engine.load(
          bundle, precision: precision(in: bundle), units: settings.units, record: record
        ) { state in
          await MainActor.run { if !Task.isCancelled { self.handle(.model(state)) } }
        }
        if !Task.isCancelled { handle(.model(.ready(ready))) }
      } catch is CancellationError {
      } catch {
        if !Task.isCancelled { handle(.model(.failed(Notice(of: error)))) }
      }
    }
  }

  /// The chosen precision, or the best that the bundle has.
  private func precision(in bundle: BundleReader) -> String {
    let all = bundle.generators.map(\.precision)
    return all.contains(settings.precision) ? settings.precision : all.first ?? settings.precision
  }

  private func settingsChanged(from old: Settings) {
    guard settings != old else { return }
    settings.save()
    if (settings.precision, settings.units) != (old.precision, old.units) { load() }
    if settings.camera != old.camera, state.camera == .running {
      camera.stop()
      camera.start(settings.camera)
    }
    live.update(swaps: state.swapsFrames, identity: source?.identity, settings)
  }
}

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
      try await Task.detached { try store.take(folder) }.value
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

  /// Try units again that failed at an earlier start.
  func tryAgain() {
    record.forget()
    load()
  }

  /// Save a picture to the user's photos.
  func save(_ picture: SwappedPicture) async {
    do {
      try await PhotoLibrary.add(PictureFile.write(picture.after))
      alert = .saved
    } catch {
      alert = Notice(of: error)
    }
  }
}

import Foundation
import MobileFSGANCore
import Observation

/// Holds the state of the app, and does what its state machine asks for.
@MainActor @Observable
final class AppModel {
  private(set) var state = AppState()
  /// What an action of the user ended with, until the user has read it.
  var alert: Notice?
  var source: Source?
  let live: LiveModel
  let photo: PhotoModel
  var settings: Settings {
    didSet { settingsChanged(from: oldValue) }
  }
  private(set) var bundle: BundleReader?

  @ObservationIgnored let engine: SwapEngine
  @ObservationIgnored let store: BundleStore
  @ObservationIgnored private let camera: any CameraSource
  /// Only one per start: it takes attempts without an end for crashes of an earlier start.
  @ObservationIgnored let record: StartRecord
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
        // An identity belongs to the encoder that made it.
        if bundle.manifest != self.bundle?.manifest { source = nil }
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

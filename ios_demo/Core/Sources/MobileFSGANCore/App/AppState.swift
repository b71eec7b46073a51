/// What the whole app does: camera, models, heat, memory. A pure state machine: `handle` takes an
/// event and returns what has to be done.
public struct AppState: Equatable, Sendable {
  public private(set) var camera = CameraState.off
  public private(set) var model = ModelState.undetermined
  public private(set) var thermal = Thermal.nominal
  public private(set) var isInForeground = true
  /// Shown until the event `memoryIsFine`.
  public private(set) var memory: Notice?

  public init() {}

  /// Whether a camera frame may be swapped now.
  public var swapsFrames: Bool {
    isInForeground && camera == .running && model.ready != nil
  }

  /// Everything that has to be said, most urgent first.
  public var notices: [Notice] {
    var all = [camera.notice, thermal.notice, model.ready?.fallBack, memory]
    if case .failed(let why) = model { all.insert(why, at: 0) }
    return all.compactMap { $0 }
  }
}

public enum AppEvent: Equatable, Sendable {
  case camera(CameraEvent)
  case model(ModelState)
  case thermal(Thermal)
  case memoryWarning
  case memoryIsFine
  case background
  case foreground
}

public enum AppEffect: Equatable, Sendable {
  case camera(CameraEffect)
  case loadModel
  case unloadModel
  /// Drop what can be made again: pooled buffers, the identity encoder.
  case dropCaches
  case takeOneFrameOf(Int)
}

extension AppState {
  /// The next state.
  ///
  /// - Returns: what has to be done, in this order.
  public mutating func handle(_ event: AppEvent) -> [AppEffect] {
    switch event {
    case .camera(let event):
      return camera.handle(event).map(AppEffect.camera)
    case .model(let state):
      model = state
      return []
    case .thermal(let new):
      let changes = new.framesPerSwap != thermal.framesPerSwap
      thermal = new
      return changes ? [.takeOneFrameOf(new.framesPerSwap)] : []
    case .memoryWarning:
      return memoryWarning()
    case .memoryIsFine:
      memory = nil
      return []
    case .background:
      isInForeground = false
      return camera.handle(.background).map(AppEffect.camera)
    case .foreground:
      isInForeground = true
      let reload: [AppEffect] = model == .undetermined ? [.loadModel] : []
      return reload + camera.handle(.foreground).map(AppEffect.camera)
    }
  }

  /// In the background the model is unloaded too: the system ends the largest apps first.
  private mutating func memoryWarning() -> [AppEffect] {
    guard !isInForeground, model.ready != nil else {
      memory = .memoryIsShort
      return [.dropCaches]
    }
    model = .undetermined
    return [.dropCaches, .unloadModel]
  }
}

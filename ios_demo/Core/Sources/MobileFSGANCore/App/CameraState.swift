/// What the live camera does, and why it does not.
public enum CameraState: Equatable, Sendable {
  /// Not wanted: photos are swapped.
  case off
  /// The system asks the user.
  case asking
  case denied
  case starting
  case running
  case interrupted(CameraInterruption)
  /// The app is in the background.
  case paused
  /// The user stopped the picture.
  case stopped
  case failed(String)

  /// Whether the user can start the picture again.
  public var canResume: Bool {
    switch self {
    case .stopped, .failed: true
    default: false
    }
  }

  /// What is said instead of the picture, nil while there is nothing to say.
  public var notice: Notice? {
    switch self {
    case .denied: .cameraDenied
    case .interrupted(let reason): reason.notice
    case .failed(let why): .cameraFailed(why)
    case .off, .asking, .starting, .running, .paused, .stopped: nil
    }
  }
}

/// Why the system took the camera away; see `AVCaptureSession.InterruptionReason`.
public enum CameraInterruption: Equatable, Sendable {
  case inUse
  case splitView
  case tooHot
  case other

  /// What is said while it lasts.
  public var notice: Notice {
    switch self {
    case .inUse: .cameraInUse
    case .splitView: .cameraNotInSplitView
    case .tooHot: .cameraTooHot
    case .other: .cameraInterrupted
    }
  }
}

public enum CameraEvent: Equatable, Sendable {
  case wanted
  case notWanted
  case allowed
  case refused
  case started
  case interrupted(CameraInterruption)
  case interruptionEnded
  case failed(String)
  case background
  case foreground
  case stoppedByUser
  case resumedByUser
}

/// What has to be done after an event.
public enum CameraEffect: Equatable, Sendable {
  case askForPermission
  case start
  case stop
}

extension CameraState {
  /// The next state. Events that do not fit the state change nothing.
  public mutating func handle(_ event: CameraEvent) -> [CameraEffect] {
    switch (self, event) {
    case (.off, .wanted):
      self = .asking
      return [.askForPermission]
    case (.asking, .allowed):
      self = .starting
      return [.start]
    case (.asking, .refused):
      self = .denied
      return []
    case (.starting, .started), (.interrupted, .started), (.interrupted, .interruptionEnded):
      self = .running
      return []
    case (.starting, .interrupted(let reason)), (.running, .interrupted(let reason)):
      self = .interrupted(reason)
      return []
    case (.starting, .failed(let why)), (.running, .failed(let why)),
      (.interrupted, .failed(let why)):
      self = .failed(why)
      return [.stop]
    case (.asking, .background):
      self = .paused
      return []
    case (.starting, .background), (.running, .background), (.interrupted, .background):
      self = .paused
      return [.stop]
    case (.starting, .stoppedByUser), (.running, .stoppedByUser), (.interrupted, .stoppedByUser):
      self = .stopped
      return [.stop]
    // The user may have changed the permission in Settings meanwhile.
    case (.paused, .foreground), (.denied, .foreground), (.failed, .foreground),
      (.stopped, .resumedByUser), (.failed, .resumedByUser):
      self = .asking
      return [.askForPermission]
    case (.off, .notWanted):
      return []
    case (_, .notWanted):
      self = .off
      return [.stop]
    default:
      return []
    }
  }
}

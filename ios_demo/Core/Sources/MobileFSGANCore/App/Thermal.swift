/// `ProcessInfo.ThermalState`, by the names that stand in result rows.
public enum Thermal: String, Codable, Hashable, Sendable {
  case nominal
  case fair
  case serious
  case critical

  /// Every n-th camera frame is taken; the others are dropped.
  public var framesPerSwap: Int {
    switch self {
    case .nominal, .fair: 1
    case .serious: 2
    case .critical: 4
    }
  }

  /// What is said on screen, nil while there is nothing to say.
  public var notice: Notice? {
    switch self {
    case .nominal, .fair: nil
    case .serious: .hot
    case .critical: .veryHot
    }
  }
}

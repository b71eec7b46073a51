/// The processors that Core ML may use. The raw values are what `--units` takes.
public enum ComputeUnits: String, CaseIterable, Codable, Hashable, Sendable {
  case ane
  case gpu
  case cpu
  case all

  /// What is shown on screen. Core ML may always use the CPU besides.
  public var name: String {
    switch self {
    case .ane: "Neural Engine"
    case .gpu: "GPU"
    case .cpu: "CPU"
    case .all: "CPU, GPU, Neural Engine"
    }
  }
}

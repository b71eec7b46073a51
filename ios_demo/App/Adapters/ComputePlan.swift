import CoreML
import Foundation

/// Number of operations of a compiled model that Core ML plans for each unit; empty before
/// iOS 17.4.
func plannedOperations(of compiled: URL, _ configuration: MLModelConfiguration) async
  -> [String: Int]
{
  guard #available(iOS 17.4, *),
    let plan = try? await MLComputePlan.load(contentsOf: compiled, configuration: configuration),
    case .program(let program) = plan.modelStructure, let main = program.functions["main"]
  else { return [:] }
  var counts: [String: Int] = [:]
  for operation in main.block.operations {
    // Constants have no device.
    guard let usage = plan.deviceUsage(for: operation) else { continue }
    counts[name(of: usage.preferred), default: 0] += 1
  }
  return counts
}

@available(iOS 17.4, *)
private func name(of device: MLComputeDevice) -> String {
  switch device {
  case .cpu: "cpu"
  case .gpu: "gpu"
  case .neuralEngine: "neuralEngine"
  @unknown default: "other"
  }
}

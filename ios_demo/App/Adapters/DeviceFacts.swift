import Darwin
import Foundation
import MobileFSGANCore
import UIKit

/// What a result row says of this phone and this app.
enum DeviceFacts {
  @MainActor static func facts(of bundle: Bundle = .main) -> Benchmark.Facts {
    let info = bundle.infoDictionary ?? [:]
    let system = UIDevice.current.systemVersion
    return Benchmark.Facts(
      device: ResultRow.Device(
        model: sysctl("hw.machine"), os: "iOS \(system)", soc: sysctl("hw.targettype"),
        cores: ProcessInfo.processInfo.activeProcessorCount),
      app: ResultRow.App(
        version: info["CFBundleShortVersionString"] as? String ?? "unknown",
        commit: info["GitCommit"] as? String ?? "unknown"),
      tools: ["coreml": system])
  }

  static let gauges = Benchmark.Gauges(
    nowMs: monotonicMs, peakRSSMB: peakRSSMB,
    thermal: { Thermal(ProcessInfo.processInfo.thermalState) }, date: { Date() })

  /// A name that the kernel knows, such as "iPhone15,2"; "unknown" where it has none.
  private static func sysctl(_ name: String) -> String {
    var size = 0
    guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return "unknown" }
    var bytes = [UInt8](repeating: 0, count: size)
    guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return "unknown" }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Largest resident size of this process so far, in MB of 10^6 bytes.
  @Sendable private static func peakRSSMB() -> Double? {
    var info = mach_task_basic_info()
    var count = mach_msg_type_number_t(
      MemoryLayout<mach_task_basic_info>.size / MemoryLayout<natural_t>.size)
    let status = withUnsafeMutablePointer(to: &info) { pointer in
      pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
        task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
      }
    }
    return status == KERN_SUCCESS ? Double(info.resident_size_max) / 1e6 : nil
  }
}

extension Thermal {
  init(_ state: ProcessInfo.ThermalState) {
    switch state {
    case .nominal: self = .nominal
    case .fair: self = .fair
    case .serious: self = .serious
    case .critical: self = .critical
    @unknown default: self = .critical
    }
  }
}

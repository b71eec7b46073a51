import Foundation

extension Benchmark {
  /// What every row says of device and app.
  public struct Facts: Sendable {
    public var device: ResultRow.Device
    public var app: ResultRow.App
    public var tools: [String: String]
    public init(device: ResultRow.Device, app: ResultRow.App, tools: [String: String]) {
      (self.device, self.app, self.tools) = (device, app, tools)
    }
  }

  /// What the benchmark reads while it runs.
  public struct Gauges: Sendable {
    /// A clock that never jumps, in milliseconds.
    public var nowMs: @Sendable () -> Double
    public var peakRSSMB: @Sendable () -> Double?
    public var thermal: @Sendable () -> Thermal
    public var date: @Sendable () -> Date

    public init(
      nowMs: @escaping @Sendable () -> Double, peakRSSMB: @escaping @Sendable () -> Double?,
      thermal: @escaping @Sendable () -> Thermal, date: @escaping @Sendable () -> Date
    ) {
      (self.nowMs, self.peakRSSMB) = (nowMs, peakRSSMB)
      (self.thermal, self.date) = (thermal, date)
    }
  }
}

import Foundation

/// What earlier starts of the app found out, kept in a small file: which models passed their
/// self-test on which units, and what was being tried when the app ended.
public final class StartRecord: Sendable {
  private struct Content: Codable {
    var system: String
    var tests: [String: SelfTest] = [:]
    /// The fastest units of each model, by its SHA-256.
    var chosen: [String: ComputeUnits] = [:]
    var begun: String?
    var died: [String] = []
  }

  private let file: URL
  private let system: String
  private let lock = NSLock()

  /// - Parameters:
  ///   - file: is made when there is something to keep. A damaged one counts as empty.
  ///   - system: version of the system; another one makes everything forgotten.
  public init(file: URL, system: String) {
    self.file = file
    self.system = system
    change { content in
      // An attempt without an end: the app ended during it.
      if let begun = content.begun { content.died.append(begun) }
      content.begun = nil
    }
  }

  static func key(_ spec: ModelSpec, _ units: ComputeUnits) -> String {
    "\(spec.sha256) \(units.rawValue)"
  }

  /// Whether an earlier start ended while it tried `key`.
  public func died(_ key: String) -> Bool { lock.withLock { read().died.contains(key) } }

  /// The result of an earlier self-test that was passed.
  public func test(_ key: String) -> SelfTest? { lock.withLock { read().tests[key] } }

  /// The units that were fastest when all were tested.
  public func chosen(_ sha256: String) -> ComputeUnits? { lock.withLock { read().chosen[sha256] } }

  public func choose(_ units: ComputeUnits, for sha256: String) {
    change { $0.chosen[sha256] = units }
  }

  public func begin(_ key: String) { change { $0.begun = key } }

  public func end() { change { $0.begun = nil } }

  public func keep(_ test: SelfTest, _ key: String) { change { $0.tests[key] = test } }

  /// The user wants a unit tried again.
  public func forget() { lock.withLock { try? FileManager.default.removeItem(at: file) } }

  private func change(_ edit: (inout Content) -> Void) {
    lock.withLock {
      var content = read()
      edit(&content)
      try? FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      // Without a record the next start tests again; nothing else is lost.
      try? JSONEncoder().encode(content).write(to: file, options: .atomic)
    }
  }

  private func read() -> Content {
    guard let data = try? Data(contentsOf: file),
      let content = try? JSONText.decode(Content.self, from: data), content.system == system
    else { return Content(system: system) }
    return content
  }
}

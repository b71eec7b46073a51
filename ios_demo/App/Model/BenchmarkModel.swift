import Foundation
import MobileFSGANCore
import Observation
import UIKit

/// Runs the benchmark that the launch arguments ask for, and shows how far it is.
@MainActor @Observable
final class BenchmarkModel {
  enum State: Equatable {
    case running(String)
    case done(rows: Int, file: String)
    case failed(Notice)
  }

  private(set) var state = State.running("")

  @ObservationIgnored private let request: Result<BenchmarkRequest, any Error>
  @ObservationIgnored private let store: BundleStore

  /// Nil where the app was started for its user.
  init?(arguments: [String] = CommandLine.arguments, store: BundleStore = .standard) {
    do {
      guard let request = try BenchmarkRequest(arguments: arguments) else { return nil }
      self.request = .success(request)
    } catch {
      request = .failure(error)
    }
    self.store = store
  }

  func run() async {
    UIApplication.shared.isIdleTimerDisabled = true  // a dark screen would stop it
    defer { UIApplication.shared.isIdleTimerDisabled = false }
    let documents = FileManager.default.urls(for: .documentDirectory, in: .userDomainMask)[0]
    var file = documents.appendingPathComponent(BenchmarkRequest().file)
    do {
      let request = try request.get()
      file = documents.appendingPathComponent(request.file)
      let benchmark = Benchmark(
        bundle: try store.open(), source: CompiledModels(folder: store.compiled),
        finder: VisionFaceFinder(),
        facts: DeviceFacts.facts(), gauges: DeviceFacts.gauges)
      let rows = try await benchmark.run(
        request, into: file
      ) { name in
        await MainActor.run { self.state = .running(name) }
      }
      state = .done(rows: rows.count, file: request.file)
    } catch {
      state = .failed(Notice(of: error))
      try? Benchmark.writeFailure(Notice(of: error), DeviceFacts.facts(), to: file)
    }
  }
}

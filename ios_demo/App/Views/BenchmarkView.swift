import MobileFSGANCore
import SwiftUI

/// How far the benchmark is.
struct BenchmarkView: View {
  let benchmark: BenchmarkModel

  var body: some View {
    VStack(spacing: 16) {
      switch benchmark.state {
      case .running(let name):
        ProgressView("Measuring \(name)")
        Text("Keep the phone unlocked and this app in front.")
      case .done(let rows, let file):
        Label("\(rows) rows in \(file)", systemImage: "checkmark.circle")
      case .failed(let why):
        Label(why.localized, systemImage: "xmark.octagon")
      }
    }
    .padding()
    .task { await benchmark.run() }
  }
}

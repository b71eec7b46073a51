import MobileFSGANCore
import SwiftUI

/// How far the model is while it is not ready.
struct ModelStateView: View {
  let state: ModelState

  var body: some View {
    switch state {
    case .undetermined, .ready:
      EmptyView()
    case .checking:
      ProgressView("Checking the bundle")
    case .compiling(let file):
      ProgressView("Compiling \(file) for this phone; only once")
    case .loading(let file, let units):
      ProgressView("Loading \(file) on \(units.name)")
    case .testing(_, let units):
      ProgressView("Testing on \(units.name)")
    case .failed(let why):
      Label(why.localized, systemImage: "xmark.octagon")
        .padding()
    }
  }
}

import SwiftUI

@main
struct MobileFSGANApp: App {
  @State private var model = AppModel(camera: PhoneCamera(), finder: VisionFaceFinder())
  @State private var benchmark = BenchmarkModel()

  var body: some Scene {
    WindowGroup {
      if let benchmark {
        BenchmarkView(benchmark: benchmark)
      } else {
        ContentView(model: model)
      }
    }
  }
}

import Combine
import MobileFSGANCore
import SwiftUI
import UIKit

/// The app: live camera, photos, settings; before the model is ready, how far it is.
struct ContentView: View {
  @Bindable var model: AppModel
  @Environment(\.scenePhase) private var phase
  @State private var tab = Tab.live

  enum Tab: Hashable {
    case live
    case photo
    case settings
  }

  var body: some View {
    TabView(selection: $tab) {
      LiveView(model: model)
        .tabItem { Label("Live", systemImage: "camera") }
        .tag(Tab.live)
      PhotoView(model: model)
        .tabItem { Label("Photo", systemImage: "photo") }
        .tag(Tab.photo)
      SettingsView(model: model)
        .tabItem { Label("Settings", systemImage: "gearshape") }
        .tag(Tab.settings)
    }
    .task {
      model.handle(.thermal(Thermal(ProcessInfo.processInfo.thermalState)))
      model.handle(.foreground)
      model.handle(.camera(.wanted))
    }
    .onChange(of: tab) { _, new in
      model.handle(.camera(new == .live ? .wanted : .notWanted))
    }
    .onChange(of: phase) { _, new in
      switch new {
      case .background: model.handle(.background)
      case .active: model.handle(.foreground)
      default: break
      }
    }
    .onReceive(
      NotificationCenter.default.publisher(
        for: UIApplication.didReceiveMemoryWarningNotification)
    ) { _ in model.handle(.memoryWarning) }
    .onReceive(
      NotificationCenter.default.publisher(for: ProcessInfo.thermalStateDidChangeNotification)
        .receive(on: DispatchQueue.main)
    ) { _ in model.handle(.thermal(Thermal(ProcessInfo.processInfo.thermalState))) }
    .alert(
      model.alert?.localized ?? "",
      isPresented: Binding(get: { model.alert != nil }, set: { _ in model.alert = nil })
    ) {
      Button("OK") { model.alert = nil }
    }
  }
}

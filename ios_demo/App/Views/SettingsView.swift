import MobileFSGANCore
import SwiftUI

/// Generator, precision, processors, badge; and bundles from Files.
struct SettingsView: View {
  @Bindable var model: AppModel
  @State private var imports = false

  var body: some View {
    NavigationStack {
      Form {
        generator
        picture
        bundle
        Section {
          Text("Pictures made here are synthetic and say so in their metadata.")
          Text("Nothing leaves this device.")
        }
      }
      .navigationTitle("Settings")
    }
    .fileImporter(isPresented: $imports, allowedContentTypes: [.folder]) { result in
      guard let folder = try? result.get() else { return }
      Task { await model.importBundle(folder) }
    }
  }

  private var generator: some View {
    Section("Generator") {
      Picker("Precision", selection: $model.settings.precision) {
        ForEach(model.bundle?.generators.map(\.precision) ?? [], id: \.self) { precision in
          Text(verbatim: precision).tag(precision)
        }
      }
      Picker("Compute units", selection: $model.settings.units) {
        Text("Automatic: the fastest").tag(ComputeUnits?.none)
        ForEach(ComputeUnits.allCases, id: \.self) { units in
          Text(verbatim: units.name).tag(ComputeUnits?.some(units))
        }
      }
      if let ready = model.state.model.ready {
        ForEach(ready.tests, id: \.self) { test in
          Text(verbatim: test.localized).font(.footnote)
        }
        Button("Try again") { model.tryAgain() }
      }
      ModelStateView(state: model.state.model)
    }
  }

  private var picture: some View {
    Section("Picture") {
      Toggle("Badge \"AI · face swapped\"", isOn: $model.settings.hasBadge)
      Toggle("Show times", isOn: $model.settings.showsTimes)
    }
  }

  private var bundle: some View {
    Section("Bundle") {
      if let bundle = model.bundle {
        LabeledContent("Name", value: bundle.manifest.name)
        Text(verbatim: bundle.manifest.notice).font(.footnote)
      }
      Button("Import a bundle folder from Files") { imports = true }
      Button("Use the bundle of the app") { model.forgetImportedBundle() }
    }
  }
}

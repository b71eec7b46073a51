import MobileFSGANCore
import PhotosUI
import SwiftUI

/// Whose face is put on others: from a photo, or from the camera.
struct SourceView: View {
  @Bindable var model: AppModel
  @State private var item: PhotosPickerItem?

  var body: some View {
    HStack {
      if let source = model.source {
        Image(decorative: source.picture, scale: 1)
          .resizable()
          .scaledToFill()
          .frame(width: 56, height: 56)
          .clipShape(RoundedRectangle(cornerRadius: 8))
          .accessibilityLabel("Source face")
      } else {
        Text("Choose the face to put on others. Ask the person first.")
          .font(.footnote)
      }
      Spacer()
      PhotosPicker(selection: $item, matching: .images) {
        Label("Source from photos", systemImage: "person.crop.rectangle")
      }
      Button("Source from camera", systemImage: "camera.viewfinder") {
        Task { await model.useCameraAsSource() }
      }
      .disabled(model.state.camera != .running)
    }
    .labelStyle(.iconOnly)
    .disabled(model.state.model.ready == nil)
    .padding()
    .onChange(of: item) { _, new in
      guard let new else { return }
      Task {
        if let data = try? await new.loadTransferable(type: Data.self) {
          await model.useSource(data)
        }
        item = nil
      }
    }
  }
}

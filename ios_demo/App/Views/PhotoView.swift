import MobileFSGANCore
import PhotosUI
import SwiftUI

/// A photo of the library with the source's face on it, to be shared or saved.
struct PhotoView: View {
  @Bindable var model: AppModel
  @State private var item: PhotosPickerItem?
  @State private var showsBefore = false

  var body: some View {
    VStack {
      if model.photo.isBusy {
        ProgressView("Swapping").frame(maxWidth: .infinity, maxHeight: .infinity)
      } else if let picture = model.photo.picture {
        PictureView(picture: picture, showsBefore: showsBefore)
      } else {
        ContentUnavailableView(
          "No photo yet", systemImage: "photo",
          description: Text("Choose a source below, then a photo."))
      }
      ModelStateView(state: model.state.model)
      controls
      SourceView(model: model)
    }
    .onChange(of: item) { _, new in
      guard let new else { return }
      Task {
        if let data = try? await new.loadTransferable(type: Data.self) { await model.swap(data) }
        item = nil
      }
    }
  }

  private var controls: some View {
    HStack {
      PhotosPicker(selection: $item, matching: .images) {
        Label("Choose a photo", systemImage: "photo.on.rectangle")
      }
      .disabled(model.source == nil || model.state.model.ready == nil)
      if let picture = model.photo.picture, let file = model.photo.file {
        Spacer()
        Button(
          showsBefore ? "Show after" : "Show before",
          systemImage: "rectangle.lefthalf.inset.filled"
        ) { showsBefore.toggle() }
        .labelStyle(.iconOnly)
        Spacer()
        Button("Save", systemImage: "square.and.arrow.down") {
          Task { await model.save(picture) }
        }
        .labelStyle(.iconOnly)
        Spacer()
        ShareLink(item: file)
          .labelStyle(.iconOnly)
      }
    }
    .padding()
  }
}

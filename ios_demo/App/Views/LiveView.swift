import MobileFSGANCore
import SwiftUI

/// The camera's picture with the source's face on it.
struct LiveView: View {
  @Bindable var model: AppModel
  @State private var showsBefore = false

  var body: some View {
    VStack(spacing: 0) {
      ZStack(alignment: .topLeading) {
        Color.black
        if let picture = model.live.picture {
          PictureView(picture: picture, showsBefore: showsBefore)
        }
        VStack(alignment: .leading) {
          NoticesView(notices: model.state.notices + [model.live.error].compactMap { $0 })
          if model.settings.showsTimes, model.state.swapsFrames {
            TimesView(reading: model.live.reading, ready: model.state.model.ready)
          }
        }
        .padding()
      }
      ModelStateView(state: model.state.model)
      controls
      SourceView(model: model)
    }
  }

  private var controls: some View {
    HStack {
      Button(
        showsBefore ? "Show after" : "Show before",
        systemImage: "rectangle.lefthalf.inset.filled"
      ) { showsBefore.toggle() }
      Spacer()
      if model.state.camera.canResume {
        Button("Continue", systemImage: "play.fill") { model.handle(.camera(.resumedByUser)) }
      } else {
        Button("Pause", systemImage: "pause.fill") { model.handle(.camera(.stoppedByUser)) }
          .disabled(model.state.camera != .running)
      }
      Spacer()
      Button("Other camera", systemImage: "arrow.triangle.2.circlepath.camera") {
        model.settings.camera = model.settings.camera == .front ? .back : .front
      }
      Spacer()
      Button("Save", systemImage: "square.and.arrow.down") {
        if let picture = model.live.picture { Task { await model.save(picture) } }
      }
      .disabled(model.live.picture?.hasFace != true)
    }
    .labelStyle(.iconOnly)
    .padding()
  }
}

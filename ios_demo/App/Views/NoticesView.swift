import MobileFSGANCore
import SwiftUI

/// What has to be said, most urgent first.
struct NoticesView: View {
  let notices: [Notice]

  var body: some View {
    ForEach(notices, id: \.self) { notice in
      Label(notice.localized, systemImage: "exclamationmark.triangle")
        .font(.callout)
        .padding(8)
        .background(.ultraThinMaterial, in: RoundedRectangle(cornerRadius: 8))
    }
  }
}

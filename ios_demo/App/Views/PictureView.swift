import MobileFSGANCore
import SwiftUI

/// A picture after its swap, or before it.
struct PictureView: View {
  let picture: SwappedPicture
  let showsBefore: Bool

  private var isSwapped: Bool { picture.hasFace && !showsBefore }

  var body: some View {
    Image(decorative: showsBefore ? picture.before : picture.after, scale: 1)
      .resizable()
      .scaledToFit()
      .frame(maxWidth: .infinity, maxHeight: .infinity)
      .accessibilityElement()
      .accessibilityLabel(isSwapped ? "Picture with a swapped face" : "Picture as it is")
  }
}

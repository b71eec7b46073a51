import MobileFSGANCore
import SwiftUI

/// Frames per second, milliseconds of every stage, and the processors that were asked for.
struct TimesView: View {
  let reading: LiveReading
  let ready: ReadyModel?

  var body: some View {
    let mean = reading.mean
    VStack(alignment: .leading, spacing: 2) {
      Text("\(digits(reading.framesPerSecond ?? 0)) fps, \(digits(mean.totalMs)) ms")
      Text("find \(digits(mean.detectMs)), align \(digits(mean.alignMs)) ms")
      Text("generate \(digits(mean.generateMs)), put back \(digits(mean.blendMs)) ms")
      if let ready {
        Text(verbatim: ready.summary)
        Text(verbatim: ready.test.words(ready.used).localized)
      }
    }
    .font(.caption.monospacedDigit())
    .padding(8)
    .background(.ultraThinMaterial, in: RoundedRectangle(cornerRadius: 8))
    .accessibilityElement(children: .combine)
  }

  private func digits(_ value: Double) -> String {
    value.formatted(.number.precision(.fractionLength(1)))
  }
}

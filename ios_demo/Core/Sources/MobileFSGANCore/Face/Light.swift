/// `swapped` with the mean, the contrast and the tone that `aligned` has under `mask`.
///
/// Mean and contrast are matched per channel (Reinhard et al., 2001). Then the chroma of every pixel
/// is moved towards the target's tone, until it strays from it about as much as the target's own: a
/// grey target gets a grey face. The same as `match_light` in pipeline/faces/light.py.
///
/// - Parameters:
///   - swapped: size x size RGB, 0 to 255.
///   - aligned: likewise.
///   - mask: size x size; what lies above 0.5 is measured.
///   - size: edge in pixels.
/// - Returns: size x size RGB; `swapped` itself where the mask covers nothing.
public func matchLight(_ swapped: [UInt8], to aligned: [UInt8], mask: [Float], size: Int) -> [UInt8]
{
  guard let mine = ChannelStatistics(of: swapped, under: mask, size: size),
    let theirs = ChannelStatistics(of: aligned, under: mask, size: size)
  else { return swapped }
  var matched = swapped
  for channel in 0..<3 {
    let wanted = theirs.spread[channel] / max(mine.spread[channel], 1)
    let gain = min(max(wanted, Light.gain.lowerBound), Light.gain.upperBound)
    let table = (0..<256).map {
      Light.level((Float($0) - mine.mean[channel]) * gain + theirs.mean[channel])
    }
    matched.withUnsafeMutableBufferPointer { face in
      for i in stride(from: channel, to: face.count, by: 3) { face[i] = table[Int(face[i])] }
    }
  }
  return matchTone(matched, to: aligned, mask: mask, size: size)
}

private enum Light {
  /// How far contrast may be changed to match; more would amplify noise.
  static let gain: ClosedRange<Float> = 0.6...1.6
  /// Every third row and column of a face is enough to measure its tone.
  static let step = 3
  /// Chroma may stray that many times as far from the target's tone as its own does.
  static let stray: Float = 1.5
  static let exact: Float = 1e-3

  static func level(_ value: Float) -> UInt8 { UInt8(min(max(value, 0), 255) + 0.5) }
}

/// Mean and standard deviation of every channel under a mask, on every second row.
private struct ChannelStatistics {
  var mean: [Float] = []
  var spread: [Float] = []

  init?(of face: [UInt8], under mask: [Float], size: Int) {
    var (sum, squares, count) = (SIMD3<Int>.zero, SIMD3<Int>.zero, 0)
    for y in stride(from: 0, to: size, by: 2) {
      for i in y * size..<(y + 1) * size where mask[i] > 0.5 {
        let value = SIMD3(Int(face[3 * i]), Int(face[3 * i + 1]), Int(face[3 * i + 2]))
        sum &+= value
        squares &+= value &* value
        count += 1
      }
    }
    guard count > 0 else { return nil }
    for channel in 0..<3 {
      let average = Double(sum[channel]) / Double(count)
      let variance = Double(squares[channel]) / Double(count) - average * average
      mean.append(Float(average))
      spread.append(Float(max(0, variance).squareRoot()))
    }
  }
}

private func matchTone(_ swapped: [UInt8], to aligned: [UInt8], mask: [Float], size: Int) -> [UInt8]
{
  let theirs = measured(aligned, mask, size)
  guard !theirs.isEmpty else { return swapped }
  let tone = Tone(of: theirs)
  let mine = tone.stray(of: measured(swapped, mask, size))
  let kept = Light.stray * tone.stray(of: theirs) / max(mine, Light.exact)
  guard kept < 1 else { return swapped }
  let chroma = (0..<256).map { tone.chroma(at: Float($0)) }
  var matched = swapped
  matched.withUnsafeMutableBufferPointer { face in
    for i in stride(from: 0, to: face.count, by: 3) {
      let colour = LumaChroma(face[i], face[i + 1], face[i + 2])
      let (red, blue) = chroma[Int(Light.level(colour.luma))]
      let (r, b) = (red + kept * (colour.red - red), blue + kept * (colour.blue - blue))
      face[i] = Light.level(colour.luma + 1.403 * r)
      face[i + 1] = Light.level(colour.luma - 0.714 * r - 0.344 * b)
      face[i + 2] = Light.level(colour.luma + 1.773 * b)
    }
  }
  return matched
}

/// Luma, red and blue difference (ITU-R BT.601, with the factors that OpenCV uses), in levels.
private struct LumaChroma {
  let luma: Float
  let red: Float
  let blue: Float

  @inline(__always)
  init(_ r: UInt8, _ g: UInt8, _ b: UInt8) {
    luma = 0.299 * Float(r) + 0.587 * Float(g) + 0.114 * Float(b)
    (red, blue) = (0.713 * (Float(r) - luma), 0.564 * (Float(b) - luma))
  }
}

/// Colours of every third row and column under the mask.
private func measured(_ face: [UInt8], _ mask: [Float], _ size: Int) -> [LumaChroma] {
  var found: [LumaChroma] = []
  for y in stride(from: 0, to: size, by: Light.step) {
    for x in stride(from: 0, to: size, by: Light.step) where mask[y * size + x] > 0.5 {
      let i = 3 * (y * size + x)
      found.append(LumaChroma(face[i], face[i + 1], face[i + 2]))
    }
  }
  return found
}

/// The chroma that each luma has: none on a grey face, brown on a sepia one.
private struct Tone {
  private static let bins = 32
  private var luma: [Float] = []
  private var red: [Float] = []
  private var blue: [Float] = []

  init(of colours: [LumaChroma]) {
    var sums = [SIMD4<Float>](repeating: .zero, count: Self.bins)
    for colour in colours {
      let bin = min(max(Int(colour.luma * Float(Self.bins) / 256), 0), Self.bins - 1)
      sums[bin] += SIMD4(1, colour.luma, colour.red, colour.blue)
    }
    for sum in sums where sum[0] > 0 {
      luma.append(sum[1] / sum[0])
      red.append(sum[2] / sum[0])
      blue.append(sum[3] / sum[0])
    }
  }

  /// Linear interpolation; constant beyond the ends.
  func chroma(at place: Float) -> (red: Float, blue: Float) {
    guard place > luma[0] else { return (red[0], blue[0]) }
    for i in 1..<max(luma.count, 1) where place <= luma[i] {
      let share = (place - luma[i - 1]) / (luma[i] - luma[i - 1])
      return (
        red[i - 1] + share * (red[i] - red[i - 1]), blue[i - 1] + share * (blue[i] - blue[i - 1])
      )
    }
    return (red[red.count - 1], blue[blue.count - 1])
  }

  /// Root mean square distance of the colours' chroma to this tone.
  func stray(of colours: [LumaChroma]) -> Float {
    var sum: Float = 0
    for colour in colours {
      let (r, b) = chroma(at: colour.luma)
      sum += (colour.red - r) * (colour.red - r) + (colour.blue - b) * (colour.blue - b)
    }
    return (sum / Float(2 * max(colours.count, 1))).squareRoot()
  }
}

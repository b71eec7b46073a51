import Foundation

/// How near a generator comes to PyTorch on the golden samples, and how fast it is.
public struct SelfTest: Codable, Equatable, Sendable {
  /// Worst sample, peak 1.
  public var psnrDB: Double
  public var maxAbs: Double
  /// Of the runtime's own call, without the first.
  public var medianMs: Double = 0

  /// Least PSNR in dB, as `python -m export.verify` asks for 8-bit pictures.
  public static func gateDB(precision: String) -> Double {
    switch precision {
    case "int8", "w8a8": 30
    case "pal6": 35
    case "dynamic": 40
    default: 45
    }
  }

  /// Replay every sample.
  ///
  /// - Throws: `AppError` where there is no sample, and what the generator throws.
  public static func run(_ generator: any FaceGenerator, _ samples: [GoldenSample]) async throws
    -> SelfTest
  {
    guard !samples.isEmpty else { throw AppError(.noGolden) }
    var worst = SelfTest(psnrDB: .infinity, maxAbs: 0)
    var latenciesMs: [Double] = []
    // Twice, because the first call is slower.
    for sample in samples + samples {
      let made = try await generator.generate(target: sample.target, embedding: sample.embedding)
      let one = try compare(made.picture, sample.image)
      worst.psnrDB = min(worst.psnrDB, one.psnrDB)
      worst.maxAbs = max(worst.maxAbs, one.maxAbs)
      latenciesMs.append(made.runtimeMs)
    }
    worst.medianMs = Stage(of: Array(latenciesMs.dropFirst())).p50Ms
    return worst
  }

  /// In words: "Self-test: 47.1 dB, 8.3 ms on GPU".
  public func words(_ units: ComputeUnits) -> Notice {
    .selfTest(oneDigit(psnrDB), oneDigit(medianMs), units.name)
  }

  /// - Parameters:
  ///   - picture: RGB, 0 to 255.
  ///   - wanted: as many values in 0...1.
  /// - Throws: `AppError` where the picture has another size.
  static func compare(_ picture: [UInt8], _ wanted: [Float]) throws -> SelfTest {
    guard picture.count == wanted.count, !wanted.isEmpty else {
      throw AppError(.otherSize("\(picture.count)", "\(wanted.count)"))
    }
    var (squares, largest) = (0.0, 0.0)
    for (level, value) in zip(picture, wanted) {
      let error = abs(Double(level) / 255 - Double(value))
      squares += error * error
      largest = max(largest, error)
    }
    let mean = squares / Double(wanted.count)
    return SelfTest(psnrDB: mean == 0 ? 200 : -10 * log10(mean), maxAbs: largest)
  }
}

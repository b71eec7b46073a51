import Foundation

/// Loads a generator, proves it on the golden samples, and falls back to the CPU in words.
public struct ModelLoader: Sendable {
  let bundle: BundleReader
  let source: any GeneratorSource
  let record: StartRecord

  public init(bundle: BundleReader, source: any GeneratorSource, record: StartRecord) {
    self.bundle = bundle
    self.source = source
    self.record = record
  }

  /// Load the generator of a precision.
  ///
  /// - Parameters:
  ///   - wanted: used unless it does not load, misses the self-test, or ended the last start.
  ///   - tell: hears of every step.
  /// - Throws: `AppError` where the CPU fails as well.
  public func load(
    precision: String, units wanted: ComputeUnits,
    tell: @Sendable @escaping (ModelState) async -> Void
  ) async throws -> (generator: any FaceGenerator, model: ReadyModel) {
    await tell(.checking)
    let spec = try bundle.generator(precision: precision)
    let file = try bundle.checkedFile(spec)
    let samples = try bundle.golden()
    var reason: Notice?
    for units in wanted == .cpu ? [.cpu] : [wanted, .cpu] {
      do {
        let (generator, test) = try await tried(spec, file, units, samples, tell)
        let fallBack = reason.map { Notice.usingCPU(wanted.name, $0) }
        return (
          generator,
          ReadyModel(
            file: spec.file, precision: spec.precision, requested: wanted, used: units,
            psnrDB: test.psnrDB,
            operations: await generator.operations, fallBack: fallBack)
        )
      } catch {
        if error is CancellationError { throw error }
        reason = Notice(of: error)
      }
    }
    throw AppError(reason ?? .noGolden)
  }

  private func tried(
    _ spec: ModelSpec, _ file: URL, _ units: ComputeUnits, _ samples: [GoldenSample],
    _ tell: @Sendable @escaping (ModelState) async -> Void
  ) async throws -> (any FaceGenerator, SelfTest) {
    let key = "\(spec.sha256) \(units.rawValue)"
    // Without the mark a unit that ends the app would end it at every start.
    if record.died(key), units != .cpu { throw AppError(.diedLastTime) }
    record.begin(key)
    defer { record.end() }
    let generator: any FaceGenerator
    do {
      generator = try await source.generator(spec, at: file, units: units, tell: tell)
    } catch {
      if error is CancellationError { throw error }
      throw AppError(.notLoaded(spec.file, units.name, Notice(of: error)))
    }
    if let known = record.test(key) { return (generator, known) }
    await tell(.testing(file: spec.file, units: units))
    let test = try await SelfTest.run(generator, samples)
    let gate = SelfTest.gateDB(precision: spec.precision)
    guard test.psnrDB >= gate else {
      throw AppError(.missed(oneDigit(test.psnrDB), oneDigit(gate)))
    }
    record.keep(test, key)
    return (generator, test)
  }
}

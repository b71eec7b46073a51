import Foundation

/// Loads a generator and tests it on the golden samples. Units that do not load, fail the test, or
/// during which the app ended are not used; a notice says why.
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
  ///   - wanted: the units to use, and the CPU if they fail. Nil: the first start tests all units
  ///     and takes the fastest; later starts use the same.
  ///   - tell: called at every step.
  /// - Throws: `AppError` if all of them fail.
  public func load(
    precision: String, units wanted: ComputeUnits?,
    tell: @Sendable @escaping (ModelState) async -> Void
  ) async throws -> (generator: any FaceGenerator, model: ReadyModel) {
    await tell(.checking)
    let spec = try bundle.generator(precision: precision)
    let job = Job(
      spec: spec, file: try bundle.checkedFile(spec), samples: try bundle.golden(), tell: tell)
    if wanted == nil, let chosen = record.chosen(spec.sha256),
      let found = try await attempt(job, [chosen]).best
    {
      return (found.generator, await ready(job, found, wanted: nil, failures: []))
    }
    let all: [ComputeUnits] =
      wanted.map { $0 == .cpu ? [.cpu] : [$0, .cpu] } ?? [.ane, .gpu, .cpu]
    let (best, failures) = try await attempt(job, all, firstIsBest: wanted != nil)
    guard let best else { throw AppError(failures.last?.reason ?? .noGolden) }
    if wanted == nil { record.choose(best.units, for: spec.sha256) }
    return (best.generator, await ready(job, best, wanted: wanted, failures: failures))
  }

  private struct Job: Sendable {
    let spec: ModelSpec
    let file: URL
    let samples: [GoldenSample]
    let tell: @Sendable (ModelState) async -> Void
  }

  private struct Found {
    let units: ComputeUnits
    let generator: any FaceGenerator
    let test: SelfTest
  }

  private struct Failure {
    let units: ComputeUnits
    let reason: Notice
  }

  /// Try units in turn.
  ///
  /// - Parameter firstIsBest: the first that passes is taken, without looking at the others.
  private func attempt(_ job: Job, _ all: [ComputeUnits], firstIsBest: Bool = false) async throws
    -> (best: Found?, failures: [Failure])
  {
    var (best, failures): (Found?, [Failure]) = (nil, [])
    for units in all where best == nil || !firstIsBest {
      do {
        let found = try await tried(job, units)
        if found.test.medianMs < best?.test.medianMs ?? .infinity { best = found }
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        failures.append(Failure(units: units, reason: Notice(of: error)))
      }
    }
    return (best, failures)
  }

  private func tried(_ job: Job, _ units: ComputeUnits) async throws -> Found {
    let key = StartRecord.key(job.spec, units)
    // Without the record, units that crash the app would crash it at every start.
    if record.died(key), units != .cpu { throw AppError(.diedLastTime) }
    record.begin(key)
    defer { record.end() }
    let generator: any FaceGenerator
    do {
      generator = try await source.generator(job.spec, at: job.file, units: units, tell: job.tell)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw AppError(.notLoaded(job.spec.file, units.name, Notice(of: error)))
    }
    if let known = record.test(key) {
      return Found(units: units, generator: generator, test: known)
    }
    await job.tell(.testing(file: job.spec.file, units: units))
    let test = try await SelfTest.run(generator, job.samples)
    let gate = SelfTest.gateDB(precision: job.spec.precision)
    guard test.psnrDB >= gate else {
      throw AppError(.missed(oneDigit(test.psnrDB), oneDigit(gate)))
    }
    record.keep(test, key)
    return Found(units: units, generator: generator, test: test)
  }

  private func ready(_ job: Job, _ found: Found, wanted: ComputeUnits?, failures: [Failure]) async
    -> ReadyModel
  {
    let passed = ComputeUnits.allCases.compactMap { units in
      record.test(StartRecord.key(job.spec, units)).map { $0.words(units) }
    }
    let instead = found.units == .cpu ? failures.first : nil
    return ReadyModel(
      file: job.spec.file, precision: job.spec.precision, requested: wanted, used: found.units,
      test: found.test, operations: await found.generator.operations,
      tests: passed + failures.map { Notice.notUsed($0.units.name, $0.reason) },
      fallBack: instead.map { Notice.usingCPU($0.units.name, $0.reason) })
  }
}

import CoreGraphics
import CoreVideo
import Foundation
import MobileFSGANCore

/// A picture before and after its swap.
struct SwappedPicture: @unchecked Sendable {  // CGImage is immutable
  let before: CGImage
  let after: CGImage
  let times: StageTimes
  let hasFace: Bool
}

/// Finds, aligns, generates and puts back, off the main thread. Everything heavy lives here.
actor SwapEngine {
  private let finder: any FaceFinding
  private let models: CompiledModels
  private var bundle: BundleReader?
  private var swapper: FaceSwapper?
  private var encoder: CoreMLIdentityEncoder?
  private var held = HeldFace()
  private var pool: (width: Int, height: Int, buffers: PixelBufferPool)?

  init(finder: any FaceFinding, models: CompiledModels) {
    (self.finder, self.models) = (finder, models)
  }

  /// Load the generator of a bundle; the one before is dropped first.
  func load(
    _ bundle: BundleReader, precision: String, units: ComputeUnits?, record: StartRecord,
    tell: @Sendable @escaping (ModelState) async -> Void
  ) async throws -> ReadyModel {
    unload()
    let loader = ModelLoader(bundle: bundle, source: models, record: record)
    let (generator, model) = try await loader.load(precision: precision, units: units, tell: tell)
    swapper = FaceSwapper(manifest: bundle.manifest, generator: generator)
    self.bundle = bundle
    await models.keepOnly(bundle.manifest)
    return model
  }

  func unload() {
    (swapper, bundle) = (nil, nil)
    dropCaches()
  }

  func dropCaches() {
    (encoder, pool) = (nil, nil)
  }

  /// The identity of the largest face of a picture.
  ///
  /// - Throws: `AppError` where it shows no face.
  func identity(of picture: CVPixelBuffer) async throws -> [Float] {
    guard let bundle, let swapper else { throw AppError(.notReady) }
    guard let face = try finder.faces(in: picture).first else {
      throw AppError(.noFaceInSource)
    }
    let aligned = swapper.align(picture.picture(), face).face
    if encoder == nil {
      let spec = try bundle.identity()
      encoder = try await models.encoder(spec, at: bundle.checkedFile(spec))
    }
    guard let encoder else { throw AppError(.notReady) }
    return try await encoder.embedding(of: aligned)
  }

  /// A photo with `identity` on its largest face.
  ///
  /// - Throws: `AppError` where it shows no face.
  func swap(
    photo: CVPixelBuffer, identity: [Float], provenance: Provenance
  ) async throws -> SwappedPicture {
    let started = ContinuousClock.now
    guard let face = try finder.faces(in: photo).first else { throw AppError(.noFace) }
    return try await put(identity, on: face, photo, provenance, since: started)
  }

  /// A camera frame with `identity` on its largest face. Where no face is seen the last one is held
  /// for some frames, so that the swap does not flicker.
  func swap(
    frame: CameraFrame, identity: [Float], provenance: Provenance
  ) async throws -> SwappedPicture {
    let started = ContinuousClock.now
    let seen = try finder.faces(in: frame.buffer).first
    let face = held.step(seen, seconds: frame.seconds)
    return try await put(identity, on: face, frame.buffer, provenance, since: started)
  }

  /// A camera frame as it is.
  func plain(_ frame: CameraFrame) throws -> SwappedPicture {
    let image = try frame.buffer.image()
    return SwappedPicture(before: image, after: image, times: StageTimes(), hasFace: false)
  }

  private func put(
    _ identity: [Float], on face: FoundFace?, _ buffer: CVPixelBuffer, _ provenance: Provenance,
    since started: ContinuousClock.Instant
  ) async throws -> SwappedPicture {
    var times = StageTimes()
    times.detectMs = started.duration(to: .now).milliseconds
    let before = try buffer.image()
    guard let face, face.frontal > 0, let swapper else {
      return SwappedPicture(before: before, after: before, times: times, hasFace: false)
    }
    var picture = buffer.picture()
    try await swapper.swap(&picture, face, identity, &times)
    let swapped = try output(picture.width, picture.height)
    try swapped.fill(picture.data)
    try BadgePainter.paint(provenance, into: swapped)
    let after = try swapped.image()
    times.totalMs = started.duration(to: .now).milliseconds
    return SwappedPicture(before: before, after: after, times: times, hasFace: true)
  }

  private func output(_ width: Int, _ height: Int) throws -> CVPixelBuffer {
    if pool?.width != width || pool?.height != height {
      pool = (width, height, try PixelBufferPool(width: width, height: height))
    }
    guard let pool else { throw AppError(.noPicture) }
    return try pool.buffers.buffer()
  }
}

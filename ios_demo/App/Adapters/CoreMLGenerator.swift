import CoreML
import CoreVideo
import Foundation
import MobileFSGANCore

/// A generator that Core ML runs. Pictures go in and come out in pooled IOSurface buffers.
///
/// `@unchecked`: MLModel predicts from any thread.
final class CoreMLGenerator: FaceGenerator, @unchecked Sendable {
  private let model: MLModel
  private let file: String
  private let pool: PixelBufferPool
  let operations: [String: Int]

  init(model: MLModel, spec: ModelSpec, operations: [String: Int]) throws {
    let size = try faceSize(of: "target", in: spec)
    (self.model, self.operations, file) = (model, operations, spec.file)
    pool = try PixelBufferPool(width: size, height: size)
  }

  func generate(target: [UInt8], embedding: [Float]) async throws -> GeneratedFace {
    let (input, output) = (try pool.buffer(), try pool.buffer())
    try input.fill(target)
    let features = try MLDictionaryFeatureProvider(dictionary: [
      "target": MLFeatureValue(pixelBuffer: input),
      "embedding": MLFeatureValue(multiArray: try multiArray(embedding)),
    ])
    let options = MLPredictionOptions()
    options.outputBackings = ["image": output]

    let started = ContinuousClock.now
    let answer = try await model.prediction(from: features, options: options)
    let runtime = started.duration(to: .now)

    guard let image = answer.featureValue(for: "image")?.imageBufferValue else {
      throw AppError(.otherOutput(file, "image"))
    }
    return GeneratedFace(picture: image.picture().data, runtimeMs: runtime.milliseconds)
  }
}

/// Makes the embedding of an aligned face.
final class CoreMLIdentityEncoder: @unchecked Sendable {
  private let model: MLModel
  private let file: String
  private let pool: PixelBufferPool

  init(model: MLModel, spec: ModelSpec) throws {
    let size = try faceSize(of: "face", in: spec)
    (self.model, file) = (model, spec.file)
    pool = try PixelBufferPool(width: size, height: size)
  }

  /// - Parameter face: aligned, size x size RGB.
  /// - Returns: unit L2 norm.
  /// - Throws: `AppError` where the model gives no vector, or values that are not finite.
  func embedding(of face: [UInt8]) async throws -> [Float] {
    let input = try pool.buffer()
    try input.fill(face)
    let features = try MLDictionaryFeatureProvider(dictionary: [
      "face": MLFeatureValue(pixelBuffer: input)
    ])
    let answer = try await model.prediction(from: features, options: MLPredictionOptions())
    guard let array = answer.featureValue(for: "embedding")?.multiArrayValue else {
      throw AppError(.otherOutput(file, "embedding"))
    }
    let values = (0..<array.count).map { array[$0].floatValue }
    let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length.isFinite, length > 0 else { throw AppError(.notFinite) }
    return values.map { $0 / length }
  }
}

/// Edge of the square picture that a model takes.
private func faceSize(of input: String, in spec: ModelSpec) throws -> Int {
  guard let tensor = spec.inputs.first(where: { $0.name == input }), tensor.shape.count == 4 else {
    throw AppError(.otherOutput(spec.file, input))
  }
  return tensor.shape[2]  // NCHW and NHWC alike, the face is square
}

private func multiArray(_ values: [Float]) throws -> MLMultiArray {
  let array = try MLMultiArray(shape: [1, NSNumber(value: values.count)], dataType: .float32)
  array.withUnsafeMutableBytes { bytes, _ in
    values.withUnsafeBytes { bytes.copyMemory(from: $0) }
  }
  return array
}

extension Duration {
  var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
  }
}

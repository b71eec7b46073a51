import Foundation

/// Swaps one face of a picture: align, generate, put back.
public struct FaceSwapper: Sendable {
  private let template: [Point]
  private let size: Int
  private let generator: any FaceGenerator
  private let nowMs: @Sendable () -> Double

  /// - Parameters:
  ///   - manifest: says where the generator expects a face.
  ///   - generator: belongs to the same bundle.
  ///   - nowMs: a clock that never jumps, in milliseconds.
  public init(
    manifest: Manifest, generator: any FaceGenerator,
    nowMs: @escaping @Sendable () -> Double = monotonicMs
  ) {
    size = manifest.align.size
    template = manifest.align.template
    self.generator = generator
    self.nowMs = nowMs
  }

  /// Cut a face out.
  ///
  /// - Returns: the face, size x size RGB, and the matrix from picture to face.
  public func align(_ picture: Picture, _ face: FoundFace) -> (face: [UInt8], matrix: Matrix) {
    let matrix = fitSimilarity(face.points, to: template)
    var pyramid = Pyramid(picture)
    return (pyramid.cut(matrix, width: size, height: size, smooth: true).data, matrix)
  }

  /// Put an identity on a face, in place. A face seen from the side stays as it is.
  ///
  /// - Parameters:
  ///   - identity: unit L2 norm.
  ///   - times: gets the milliseconds of align, generate and blend.
  public func swap(
    _ picture: inout Picture, _ face: FoundFace, _ identity: [Float], _ times: inout StageTimes
  ) async throws {
    guard face.frontal > 0 else { return }
    let started = nowMs()
    let (aligned, matrix) = align(picture, face)
    let generates = nowMs()
    let swapped = try await generator.generate(target: aligned, embedding: identity).picture
    let blends = nowMs()
    guard swapped.count == aligned.count else {
      throw AppError(.otherSize("\(swapped.count)", "\(aligned.count)"))
    }
    pasteBack(
      into: &picture, swapped: swapped, aligned: aligned, size: size, matrix: matrix,
      outline: face.outline, opacity: face.frontal)
    times.alignMs = generates - started
    times.generateMs = blends - generates
    times.blendMs = nowMs() - blends
  }
}

import Foundation

/// Inputs of the generator, and what PyTorch made of them.
public struct GoldenSample: Equatable, Sendable {
  /// Aligned face, size x size RGB, 0 to 255.
  public var target: [UInt8]
  /// Unit L2 norm.
  public var embedding: [Float]
  /// As `target`, in 0...1.
  public var image: [Float]

  public init(target: [UInt8], embedding: [Float], image: [Float]) {
    (self.target, self.embedding, self.image) = (target, embedding, image)
  }
}

extension GoldenSample {
  /// Read all samples of a folder, as export/proof/golden.py writes them.
  ///
  /// - Throws: `AppError` where there is none, or a file has another size than its shape needs.
  static func read(folder: URL) throws -> [GoldenSample] {
    do {
      let index = try JSONText.decode(
        Index.self, from: Data(contentsOf: folder.appendingPathComponent("index.json")))
      let samples = try index.samples.map { sample in
        GoldenSample(
          target: [UInt8](try sample.target.bytes(in: folder, "uint8", width: 1)),
          embedding: floats(try sample.embedding.bytes(in: folder, "float32", width: 4)),
          image: floats(try sample.image.bytes(in: folder, "float32", width: 4)))
      }
      guard !samples.isEmpty, samples.allSatisfy({ $0.target.count == $0.image.count }) else {
        throw AppError(.noGolden)
      }
      return samples
    } catch {
      throw AppError(.noGolden)
    }
  }

  private struct Index: Decodable {
    struct Sample: Decodable {
      let target, embedding, image: RawArray
    }
    let samples: [Sample]
  }

  private struct RawArray: Decodable {
    let file, dtype: String
    let shape: [Int]

    func bytes(in folder: URL, _ expected: String, width: Int) throws -> Data {
      let name = URL(fileURLWithPath: file).lastPathComponent
      let data = try Data(contentsOf: folder.appendingPathComponent(name))
      let fits = shape.allSatisfy { (1...8192).contains($0) } && shape.count <= 4
      guard dtype == expected, fits, data.count == shape.reduce(width, *) else {
        throw AppError(.unreadable(name))
      }
      return data
    }
  }

  /// Little-endian float32.
  private static func floats(_ data: Data) -> [Float] {
    data.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map { at in
        Float(
          bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
        )
      }
    }
  }
}

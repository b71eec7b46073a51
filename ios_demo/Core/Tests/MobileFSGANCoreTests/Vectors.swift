import Foundation
import XCTest

@testable import MobileFSGANCore

/// tests/vectors, what the Python pipeline computes.
enum Vectors {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../../../../tests/vectors").standardized

  /// The cases and the tolerances of one file.
  static func read<Case: Decodable>(_ name: String, _: Case.Type) throws -> VectorFile<Case> {
    let data = try Data(contentsOf: folder.appendingPathComponent("\(name).json"))
    let file = try JSONDecoder().decode(VectorFile<Case>.self, from: data)
    XCTAssertFalse(file.cases.isEmpty, name)
    return file
  }
}

struct VectorFile<Case: Decodable>: Decodable {
  let tolerance: [String: Double]
  let cases: [Case]

  func tolerance(_ name: String) throws -> Double { try XCTUnwrap(tolerance[name], name) }
}

/// A raw little-endian file that a case names.
struct RawFile: Decodable {
  let file: String
  let shape: [Int]

  func bytes() throws -> [UInt8] {
    [UInt8](try Data(contentsOf: Vectors.folder.appendingPathComponent(file)))
  }

  func floats() throws -> [Float] {
    let bytes = try bytes()
    return stride(from: 0, to: bytes.count, by: 4).map { at in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) })
    }
  }

  func points() throws -> [Point] {
    let values = try floats().map(Double.init)
    return (0..<shape[0]).map { Point(x: values[2 * $0], y: values[2 * $0 + 1]) }
  }

  func picture() throws -> Picture {
    Picture(data: try bytes(), width: shape[1], height: shape[0])
  }
}

/// Two rows of three numbers.
struct Rows: Decodable {
  let matrix: Matrix

  init(from decoder: any Decoder) throws {
    let rows = try decoder.singleValueContainer().decode([[Double]].self)
    matrix = Matrix(rows[0][0], rows[0][1], rows[0][2], rows[1][0], rows[1][1], rows[1][2])
  }
}

extension Matrix {
  var numbers: [Double] { [a, b, c, d, e, f] }
}

extension [Point] {
  var numbers: [Double] { flatMap { [$0.x, $0.y] } }
}

/// Absolute differences, rising.
func differences<T: BinaryFloatingPoint>(_ one: [T], _ other: [T]) -> [T] {
  XCTAssertEqual(one.count, other.count)
  return zip(one, other).map { abs($0 - $1) }.sorted()
}

func differences(_ one: [UInt8], _ other: [UInt8]) -> [Double] {
  differences(one.map(Double.init), other.map(Double.init))
}

/// The largest absolute difference.
func worst(_ one: [Double], _ other: [Double]) -> Double { differences(one, other).last ?? 0 }

func mean<T: BinaryFloatingPoint>(_ values: [T]) -> T {
  values.reduce(0, +) / T(values.count)
}

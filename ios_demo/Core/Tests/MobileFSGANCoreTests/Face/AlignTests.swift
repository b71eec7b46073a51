import XCTest

@testable import MobileFSGANCore

final class AlignTests: XCTestCase {
  private struct Fit: Decodable {
    let points, template: [Point]
    let matrix: Rows
  }

  func testSimilarityFitsArePythons() throws {
    let file = try Vectors.read("fit", Fit.self)
    for one in file.cases {
      let found = fitSimilarity(one.points, to: one.template)
      XCTAssertLessThanOrEqual(
        worst(found.numbers, one.matrix.matrix.numbers), try file.tolerance("matrix_abs"))
    }
  }

  private struct Warp: Decodable {
    let image, result: RawFile
    let matrix: Rows
    let width, height: Int
    let smooth: Bool
  }

  func testWarpsArePythons() throws {
    let file = try Vectors.read("warp", Warp.self)
    for one in file.cases {
      var pyramid = Pyramid(try one.image.picture())
      let found = pyramid.cut(
        one.matrix.matrix, width: one.width, height: one.height, smooth: one.smooth)
      let away = differences(found.data, try one.result.bytes())
      let p99 = away[Int(0.99 * Double(away.count))]
      XCTAssertLessThanOrEqual(mean(away), try file.tolerance("mean_abs_levels"), one.result.file)
      XCTAssertLessThanOrEqual(p99, try file.tolerance("p99_abs_levels"), one.result.file)
    }
  }

  func testBothPortraitsAreAlignedAsPythonAlignsThem() throws {
    let file = try Vectors.read("portraits", Portrait.self)
    for one in file.cases {
      var pyramid = Pyramid(try one.image.picture())
      let found = pyramid.cut(one.matrix.matrix, width: 256, height: 256, smooth: true)
      let away = mean(differences(found.data, try one.aligned.bytes()))
      XCTAssertLessThanOrEqual(away, try file.tolerance("aligned_mean_abs_levels"), one.portrait)
    }
  }

  func testPointsThatAreOneGiveABlackFace() {
    let matrix = fitSimilarity(
      [Point](repeating: Point(x: 3, y: 4), count: 5),
      to: (0..<5).map { Point(x: Double($0), y: 0) })
    var pyramid = Pyramid(Picture(data: [UInt8](repeating: 200, count: 48), width: 4, height: 4))
    let face = pyramid.cut(matrix, width: 8, height: 8, smooth: true)
    XCTAssertEqual(face.data, [UInt8](repeating: 0, count: 192))
    let detector = pyramid.cut(matrix, width: 8, height: 8, smooth: false)
    XCTAssertEqual(detector.data, face.data)
  }
}

/// A case of portraits.json.
struct Portrait: Decodable {
  let portrait: String
  let image, mesh, aligned, swapped, final: RawFile
  let matrix: Rows
  let fivePoints: [Point]

  enum CodingKeys: String, CodingKey {
    case portrait, image, mesh, aligned, swapped, final, matrix
    case fivePoints = "five_points"
  }
}

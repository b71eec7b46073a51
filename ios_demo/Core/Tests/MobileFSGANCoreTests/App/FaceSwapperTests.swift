import XCTest

@testable import MobileFSGANCore

final class FaceSwapperTests: XCTestCase {
  /// Gives what PyTorch's generator made of a portrait.
  private struct Recorded: FaceGenerator {
    let picture: [UInt8]
    let operations: [String: Int] = [:]

    func generate(target: [UInt8], embedding: [Float]) async throws -> GeneratedFace {
      GeneratedFace(picture: picture, runtimeMs: 0)
    }
  }

  private func manifest() throws -> Manifest {
    struct Text: Decodable {
      let text: String
      let accepted: Bool
    }
    let good = try XCTUnwrap(Vectors.read("manifests", Text.self).cases.first { $0.accepted })
    return try Manifest(json: Data(good.text.utf8))
  }

  private func face(_ one: Portrait, yaw: Double = 0) throws -> FoundFace {
    let mesh = try one.mesh.points()
    return FoundFace(
      points: FaceMesh.fivePoints(of: mesh), outline: FaceMesh.oval.map { mesh[$0] }, yaw: yaw)
  }

  func testAWholeSwapGivesPythonsPicture() async throws {
    let file = try Vectors.read("portraits", Portrait.self)
    let least = try file.tolerance("final_psnr_db_over_mask")
    for one in file.cases {
      let before = try one.image.picture()
      var after = before
      var times = StageTimes()
      try await FaceSwapper(
        manifest: manifest(), generator: Recorded(picture: one.swapped.bytes())
      ).swap(&after, face(one), [], &times)
      let wanted = try one.final.bytes()
      var (squares, covered) = (0.0, 0.0)
      for i in wanted.indices where wanted[i] != before.data[i] {
        let error = Double(after.data[i]) - Double(wanted[i])
        squares += error * error
        covered += 1
      }
      XCTAssertGreaterThanOrEqual(10 * log10(255 * 255 / (squares / covered)), least)
      XCTAssertGreaterThan(times.alignMs, 0)
      XCTAssertGreaterThan(times.blendMs, 0)
    }
  }

  func testAFaceFromTheSideStaysAsItIs() async throws {
    let one = try XCTUnwrap(Vectors.read("portraits", Portrait.self).cases.first)
    let before = try one.image.picture()
    var after = before
    var times = StageTimes()
    try await FaceSwapper(manifest: manifest(), generator: Recorded(picture: []))
      .swap(&after, face(one, yaw: 1.2), [], &times)
    XCTAssertEqual(after, before)
  }

  func testAGeneratorOfAnotherSizeIsRefusedInWords() async throws {
    let one = try XCTUnwrap(Vectors.read("portraits", Portrait.self).cases.first)
    var (picture, times) = (try one.image.picture(), StageTimes())
    do {
      try await FaceSwapper(manifest: manifest(), generator: Recorded(picture: [1, 2, 3]))
        .swap(&picture, face(one), [], &times)
      XCTFail("3 values were taken for a picture")
    } catch let error as AppError {
      XCTAssertEqual(error.notice, .otherSize("3", "196608"))
    }
  }
}

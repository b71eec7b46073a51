import XCTest

@testable import MobileFSGANCore

final class DetectionTests: XCTestCase {
  private struct Boxes: Decodable {
    struct Face: Decodable {
      let score, side: Double
      let centre: Point
      let eyes: [Point]
      let tiltDeg: Double

      enum CodingKeys: String, CodingKey {
        case score, side, centre, eyes
        case tiltDeg = "tilt_deg"
      }
    }
    let size, anchors: Int
    let rows: [Int]
    let boxes: RawFile
    let logits: [Float]
    let view: Rows
    let faces: [Face]
  }

  func testBlazeFacesOutputsGivePythonsFaces() throws {
    let file = try Vectors.read("blazeface", Boxes.self)
    for one in file.cases {
      let anchors = BlazeFace.anchors(size: one.size)
      XCTAssertEqual(anchors.count, one.anchors)
      var boxes = [Float](repeating: 0, count: one.anchors * 16)
      var logits = [Float](repeating: -100, count: one.anchors)
      let numbers = try one.boxes.floats()
      for (i, row) in one.rows.enumerated() {
        boxes.replaceSubrange(row * 16..<(row + 1) * 16, with: numbers[i * 16..<(i + 1) * 16])
        logits[row] = one.logits[i]
      }
      let found = BlazeFace.decode(
        boxes: boxes, logits: logits, anchors: anchors, view: one.view.matrix)
      XCTAssertEqual(found.count, one.faces.count)
      for (mine, wanted) in zip(found, one.faces) {
        XCTAssertEqual(mine.score, wanted.score, accuracy: try file.tolerance("score"))
        XCTAssertEqual(mine.tiltDeg, wanted.tiltDeg, accuracy: try file.tolerance("tilt_deg"))
        let away = worst(
          [mine.centre, mine.leftEye, mine.rightEye].numbers + [mine.side],
          ([wanted.centre] + wanted.eyes).numbers + [wanted.side])
        XCTAssertLessThanOrEqual(away, try file.tolerance("pixels"))
      }
    }
  }

  private struct Mesh: Decodable {
    let size: Int
    let raw, mesh: RawFile
    let logit, score: Double
    let crop, nextCrop: Rows
    let fivePoints: [Point]

    enum CodingKeys: String, CodingKey {
      case size, raw, mesh, logit, score, crop
      case nextCrop = "next_crop"
      case fivePoints = "five_points"
    }
  }

  func testTheMeshsOutputsGivePythonsLandmarksAndCrops() throws {
    let file = try Vectors.read("mesh", Mesh.self)
    for one in file.cases {
      let (mesh, score) = FaceMesh.decode(
        raw: try one.raw.floats(), logit: one.logit, crop: one.crop.matrix, size: one.size)
      XCTAssertEqual(score, one.score, accuracy: try file.tolerance("score"))
      let pixels = try file.tolerance("pixels")
      XCTAssertLessThanOrEqual(worst(mesh.numbers, try one.mesh.points().numbers), pixels)
      XCTAssertLessThanOrEqual(
        worst(FaceMesh.fivePoints(of: mesh).numbers, one.fivePoints.numbers), pixels)
      XCTAssertLessThanOrEqual(
        worst(FaceMesh.crop(of: mesh).numbers, one.nextCrop.matrix.numbers),
        try file.tolerance("matrix_abs"))
    }
  }

  func testACropOfABoxHasTheEyesLevelAndTheFaceInTheMiddle() {
    let face = Candidate(
      score: 1, centre: Point(x: 100, y: 50), side: 40, leftEye: Point(x: 95, y: 40),
      rightEye: Point(x: 105, y: 50), tiltDeg: 45)
    let crop = FaceMesh.crop(of: face)
    XCTAssertEqual(crop.apply(face.leftEye).y, crop.apply(face.rightEye).y, accuracy: 1e-12)
    XCTAssertLessThan(worst([crop.apply(face.centre)].numbers, [0.5, 0.5]), 1e-12)
    let turned = FaceMesh.turned(crop, angleDeg: 180, zoom: 1)
    XCTAssertLessThan(worst([turned.apply(face.centre)].numbers, [0.5, 0.5]), 1e-12)
    XCTAssertLessThan(turned.apply(face.rightEye).x, turned.apply(face.leftEye).x)
  }

  private struct Smoothed: Decodable {
    let seconds: [Double]
    let seen, smooth: [[Point]]
  }

  func testLandmarksAreSmoothedAsPythonSmoothsThem() throws {
    let file = try Vectors.read("one_euro", Smoothed.self)
    for one in file.cases {
      var filter = OneEuro(one.seen[0])
      for i in 1..<one.seen.count {
        let found = filter.step(one.seen[i], seconds: one.seconds[i] - one.seconds[i - 1])
        let away = worst(found.numbers, one.smooth[i].numbers)
        XCTAssertLessThanOrEqual(away, try file.tolerance("pixels"), "frame \(i)")
      }
    }
  }
}

import Foundation
import XCTest

@testable import MobileFSGANCore

/// Vision's landmarks, made of the face meshes of the vectors: what Vision itself finds only an
/// iPhone or a Mac can say.
final class VisionFaceTests: XCTestCase {
  private static let noseCrest = [168, 6, 197, 195, 5, 4, 1]
  private static let outerLips = [
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
  ]

  private func face(
    _ mesh: [Point], swapsEyes: Bool = false, noseCrest: [Point]? = nil
  ) -> FoundFace? {
    let eyes = FaceMesh.fivePoints(of: mesh)[0..<2]
    return FoundFace(
      leftPupil: [eyes[swapsEyes ? 1 : 0]], rightPupil: [eyes[swapsEyes ? 0 : 1]],
      noseCrest: noseCrest ?? Self.noseCrest.map { mesh[$0] },
      outerLips: Self.outerLips.map { mesh[$0] },
      contour: FaceMesh.oval[8..<29].map { mesh[$0] }, yaw: 0)
  }

  private func worstOfEyeDistance(_ found: FoundFace, _ wanted: [Point]) -> Double {
    let (dx, dy) = (wanted[1].x - wanted[0].x, wanted[1].y - wanted[0].y)
    return worst(found.points.numbers, wanted.numbers) / (dx * dx + dy * dy).squareRoot()
  }

  func testTheFivePointsAreTheMeshs() throws {
    let file = try Vectors.read("portraits", Portrait.self)
    for one in file.cases {
      let found = try XCTUnwrap(face(try one.mesh.points()))
      XCTAssertLessThanOrEqual(
        worstOfEyeDistance(found, one.fivePoints),
        try file.tolerance("five_points_eye_distances"), one.portrait)
    }
  }

  func testTheOrderHoldsForAnyTurnAndNamingOfTheEyes() throws {
    let file = try Vectors.read("portraits", Portrait.self)
    let mesh = try XCTUnwrap(file.cases.first).mesh.points()
    for angleDeg in stride(from: 0.0, to: 360, by: 45) {
      let (c, s) = (cos(angleDeg * .pi / 180), sin(angleDeg * .pi / 180))
      let turned = mesh.map(Matrix(c, -s, 500, s, c, 500).apply)
      for swapsEyes in [false, true] {
        let found = try XCTUnwrap(face(turned, swapsEyes: swapsEyes))
        let away = worstOfEyeDistance(found, FaceMesh.fivePoints(of: turned))
        XCTAssertLessThanOrEqual(
          away, try file.tolerance("five_points_eye_distances"), "\(angleDeg) degrees")
      }
    }
  }

  func testWhatIsCoveredIsAboutWhatTheMeshCovers() throws {
    for one in try Vectors.read("portraits", Portrait.self).cases {
      let mesh = try one.mesh.points()
      let outline = try XCTUnwrap(face(mesh)).outline.map(one.matrix.matrix.apply)
      let found = faceMask(outline: outline, size: 256)
      let wanted = faceMask(
        outline: FaceMesh.oval.map { one.matrix.matrix.apply(mesh[$0]) }, size: 256)
      let both = zip(found, wanted).filter { $0 > 0.5 && $1 > 0.5 }.count
      let either = zip(found, wanted).filter { $0 > 0.5 || $1 > 0.5 }.count
      XCTAssertGreaterThan(Double(both) / Double(either), 0.9, one.portrait)
    }
  }

  func testAMissingOrBrokenPartIsNoFace() throws {
    let mesh = try XCTUnwrap(Vectors.read("portraits", Portrait.self).cases.first).mesh.points()
    XCTAssertNil(face(mesh, noseCrest: []))
    XCTAssertNil(face(mesh, noseCrest: [Point(x: .nan, y: 0)]))
    XCTAssertNil(face([Point](repeating: Point(x: 1, y: 1), count: FaceMesh.count)))
  }
}

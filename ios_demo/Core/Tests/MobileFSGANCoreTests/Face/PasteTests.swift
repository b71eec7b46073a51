import Foundation
import XCTest

@testable import MobileFSGANCore

final class PasteTests: XCTestCase {
  private struct Mask: Decodable {
    let size: Int
    let mesh, mask: RawFile
    let keepMouth: Bool

    enum CodingKeys: String, CodingKey {
      case size, mesh, mask
      case keepMouth = "keep_mouth"
    }
  }

  func testMasksArePythons() throws {
    let file = try Vectors.read("mask", Mask.self)
    for one in file.cases {
      let mesh = try one.mesh.points()
      let found = faceMask(
        outline: FaceMesh.oval.map { mesh[$0] },
        mouth: one.keepMouth ? FaceMesh.mouth.map { mesh[$0] } : nil, size: one.size)
      let away = differences(found, try one.mask.floats()).map(Double.init)
      XCTAssertLessThanOrEqual(mean(away), try file.tolerance("mean_abs"), one.mask.file)
      XCTAssertLessThanOrEqual(away[away.count - 1], try file.tolerance("max_abs"), one.mask.file)
    }
  }

  private struct Lit: Decodable {
    let portrait: String
    let grey: Bool
    let mask, result: RawFile
  }

  func testColoursAreMatchedAsPythonMatchesThem() throws {
    let file = try Vectors.read("light", Lit.self)
    let portraits = try Vectors.read("portraits", Portrait.self).cases
    for one in file.cases {
      let portrait = try XCTUnwrap(portraits.first { $0.portrait == one.portrait })
      var aligned = try portrait.aligned.bytes()
      if one.grey { for i in aligned.indices { aligned[i] = aligned[i - i % 3 + 1] } }
      let mask = try one.mask.bytes().map { Float($0) / 255 }
      let found = matchLight(try portrait.swapped.bytes(), to: aligned, mask: mask, size: 256)
      let away = differences(found, try one.result.bytes())
      XCTAssertLessThanOrEqual(mean(away), try file.tolerance("mean_abs_levels"), one.result.file)
      XCTAssertLessThanOrEqual(
        away[away.count - 1], try file.tolerance("max_abs_levels"), one.result.file)
    }
  }

  /// What portraits.json and edges.json have in common.
  private struct PutBack: Decodable {
    let portrait: String
    let image, mesh, aligned, swapped, final: RawFile
    let matrix: Rows
  }

  func testASwappedFaceIsPutBackAsPythonPutsItBack() throws {
    // In edges.json the faces reach beyond the picture.
    for name in ["portraits", "edges"] {
      let file = try Vectors.read(name, PutBack.self)
      for one in file.cases {
        let before = try one.image.picture()
        var after = before
        try paste(one, into: &after)
        let psnrDB = try psnrOverMask(after, one.final.bytes(), before)
        print("\(one.portrait): pasted at \((psnrDB * 10).rounded() / 10) dB over the mask")
        XCTAssertGreaterThanOrEqual(
          psnrDB, try file.tolerance("final_psnr_db_over_mask"), one.portrait)
      }
    }
  }

  /// PSNR in dB, peak 255, over the pixels where `wanted` differs from `before`.
  private func psnrOverMask(_ found: Picture, _ wanted: [UInt8], _ before: Picture) -> Double {
    var (squares, inside) = (0.0, 0.0)
    for i in stride(from: 0, to: wanted.count, by: 3) {
      guard wanted[i..<i + 3] != before.data[i..<i + 3] else { continue }
      for c in i..<i + 3 { squares += pow(Double(found.data[c]) - Double(wanted[c]), 2) }
      inside += 3
    }
    return 10 * log10(255 * 255 / (squares / inside))
  }

  func testAnOpacityOfZeroLeavesThePictureAsItIs() throws {
    let one = try XCTUnwrap(Vectors.read("portraits", PutBack.self).cases.first)
    let before = try one.image.picture()
    var after = before
    try paste(one, into: &after, opacity: 0)
    XCTAssertEqual(after, before)
  }

  func testThePictureIsChangedWhereItLies() throws {
    let one = try XCTUnwrap(Vectors.read("portraits", PutBack.self).cases.first)
    var picture = try one.image.picture()
    let before = picture.data.withUnsafeBufferPointer { $0.baseAddress }
    try paste(one, into: &picture)
    XCTAssertEqual(picture.data.withUnsafeBufferPointer { $0.baseAddress }, before)
  }

  func testAFaceOutsideOfThePictureLeavesItAsItIs() throws {
    let one = try XCTUnwrap(Vectors.read("portraits", PutBack.self).cases.first)
    let before = try one.image.picture()
    for shift in [Double](arrayLiteral: 2000, -2000, 1e300, .nan) {
      var (after, matrix) = (before, one.matrix.matrix)
      matrix.c += shift
      let back = matrix.inverse
      let outline = try one.mesh.points().map { back.apply(one.matrix.matrix.apply($0)) }
      pasteBack(
        into: &after, swapped: try one.swapped.bytes(), aligned: try one.aligned.bytes(), size: 256,
        matrix: matrix, outline: outline)
      XCTAssertEqual(after, before, "\(shift)")
    }
  }

  func testAFaceAtThePicturesEdgeChangesThatPartOnly() throws {
    let one = try XCTUnwrap(Vectors.read("portraits", PutBack.self).cases.first)
    let before = try one.image.picture()
    var (after, matrix) = (before, one.matrix.matrix)
    matrix.c += 150
    let back = matrix.inverse
    let outline = try one.mesh.points().map { back.apply(one.matrix.matrix.apply($0)) }
    pasteBack(
      into: &after, swapped: try one.swapped.bytes(), aligned: try one.aligned.bytes(), size: 256,
      matrix: matrix, outline: outline)
    let changed = (0..<before.data.count).filter { after.data[$0] != before.data[$0] }
    XCTAssertFalse(changed.isEmpty)
    let rightmost = try XCTUnwrap(changed.map { $0 / 3 % before.width }.max())
    XCTAssertLessThan(Double(rightmost), try XCTUnwrap(outline.map(\.x).max()) + 1)
  }

  private func paste(_ one: PutBack, into picture: inout Picture, opacity: Double = 1) throws {
    let mesh = try one.mesh.points()
    pasteBack(
      into: &picture, swapped: try one.swapped.bytes(), aligned: try one.aligned.bytes(),
      size: one.aligned.shape[0], matrix: one.matrix.matrix,
      outline: FaceMesh.oval.map { mesh[$0] }, opacity: opacity)
  }
}

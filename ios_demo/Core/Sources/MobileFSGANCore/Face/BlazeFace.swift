import Foundation

/// A face as the detector sees it, in pixels of the whole picture.
public struct Candidate: Equatable, Sendable {
  /// 0 to 1.
  public var score: Double
  /// Middle of its box, from the eyebrows to the chin.
  public var centre: Point
  /// Edge of the box.
  public var side: Double
  /// The eye that is on the left as seen in the upright face.
  public var leftEye: Point
  /// The other eye.
  public var rightEye: Point
  /// How far the eyes are from level in the view, -180 to 180.
  public var tiltDeg: Double
}

/// The raw outputs of a BlazeFace detector (arXiv:1907.05047), decoded.
///
/// The app finds faces with Vision; this is for parity with the other apps.
public enum BlazeFace {
  private static let minScore = 0.5
  /// Overlap of two boxes, as a part of their union.
  private static let sameFace = 0.3
  /// Of an anchor: centre, width and height, then six keypoints, the eyes first.
  private static let numbers = 16

  /// Centres that boxes are told from: the grids of the published SSD layouts.
  ///
  /// Short range (128 px): a grid of stride 8 with two boxes a cell, then one of stride 16 with six.
  /// Full range (192 px): one of stride 4 with one.
  ///
  /// - Parameter size: edge of the view in pixels.
  public static func anchors(size: Int) -> [Point] {
    let grids = size == 128 ? [(8, 2), (16, 6)] : [(4, 1)]
    return grids.flatMap { stride, boxes in
      let cells = size / stride
      return (0..<cells * cells * boxes).map { i in
        let cell = i / boxes
        return Point(
          x: (Double(cell % cells) + 0.5) * Double(stride),
          y: (Double(cell / cells) + 0.5) * Double(stride))
      }
    }
  }

  /// Faces in the detector's raw outputs, best first.
  ///
  /// - Parameters:
  ///   - boxes: 16 numbers an anchor, in pixels of the view.
  ///   - logits: one an anchor.
  ///   - anchors: their centres.
  ///   - view: picture to view.
  public static func decode(
    boxes: [Float], logits: [Float], anchors: [Point], view: Matrix
  ) -> [Candidate] {
    precondition(boxes.count == anchors.count * numbers && logits.count == anchors.count)
    var found: [Box] = []
    for (i, anchor) in anchors.enumerated() {
      let score = 1 / (1 + exp(-Double(min(max(logits[i], -80), 80))))
      guard score >= minScore else { continue }
      found.append(Box(score, boxes[i * numbers..<(i + 1) * numbers].map(Double.init), anchor))
    }
    found.sort { $0.score > $1.score }
    let back = view.inverse
    let grow = back.scale
    return bestOfEach(found).map { box in
      Candidate(
        score: box.score, centre: back.apply(box.centre), side: max(box.width, box.height) * grow,
        leftEye: back.apply(box.leftEye), rightEye: back.apply(box.rightEye),
        tiltDeg: atan2(box.rightEye.y - box.leftEye.y, box.rightEye.x - box.leftEye.x)
          * 180 / .pi)
    }
  }

  /// The boxes that overlap no better one.
  private static func bestOfEach(_ sorted: [Box]) -> [Box] {
    var kept: [Box] = []
    for box in sorted where kept.allSatisfy({ box.overlap($0) <= sameFace }) { kept.append(box) }
    return kept
  }
}

/// What one anchor found, in pixels of the view.
private struct Box {
  let score: Double
  let centre: Point
  let width: Double
  let height: Double
  let leftEye: Point
  let rightEye: Point

  init(_ score: Double, _ numbers: [Double], _ anchor: Point) {
    // Corners of pixels are at the integers in the view, centres in the picture.
    func point(_ n: Int) -> Point {
      Point(x: numbers[n] + anchor.x - 0.5, y: numbers[n + 1] + anchor.y - 0.5)
    }
    self.score = score
    (centre, width, height) = (point(0), numbers[2], numbers[3])
    (leftEye, rightEye) = (point(4), point(6))
  }

  func overlap(_ other: Box) -> Double {
    let across =
      min(centre.x + width / 2, other.centre.x + other.width / 2)
      - max(centre.x - width / 2, other.centre.x - other.width / 2)
    let down =
      min(centre.y + height / 2, other.centre.y + other.height / 2)
      - max(centre.y - height / 2, other.centre.y - other.height / 2)
    let both = max(0, across) * max(0, down)
    return both / (width * height + other.width * other.height - both)
  }
}

import Foundation
import MobileFSGANCore

/// Times what the app computes around the generator for one frame, in milliseconds.
///
/// Run it in release mode: `ios_demo/swift run -c release core-bench`, in ios_demo/Core.
@main
enum CoreBench {
  /// Edge of the aligned face in pixels.
  private static let size = 256
  /// Where the five points of a face lie in it.
  private static let template = [(96, 120), (160, 120), (128, 157), (102, 194), (155, 194)]
    .map { Point(x: $0.0, y: $0.1) }

  static func main() {
    for (width, height, faceEdge) in [(256, 256, 200.0), (1280, 720, 250), (1280, 720, 600)] {
      let picture = pattern(width: width, height: height)
      let matrix = alignment(width: width, height: height, faceEdge: faceEdge)
      var pyramid = Pyramid(picture)
      let aligned = pyramid.cut(matrix, width: size, height: size, smooth: true).data
      let name = "\(width)x\(height), face of \(Int(faceEdge)) px"
      report("align, \(name)") {
        var pyramid = Pyramid(picture)
        _ = pyramid.cut(matrix, width: size, height: size, smooth: true)
      }
      report("detector view, \(name)") {
        var pyramid = Pyramid(picture)
        let toView = Matrix(128 / Double(width), 0, 0, 0, 128 / Double(width), 0)
        _ = pyramid.cut(toView, width: 128, height: 128, smooth: false)
      }
      let outline = ellipse(matrix.inverse)
      let swapped = aligned.map { UInt8(min(255, Int($0) * 9 / 10 + 20)) }
      var frame = picture
      report("paste, \(name)") {
        pasteBack(
          into: &frame, swapped: swapped, aligned: aligned, size: size, matrix: matrix,
          outline: outline)
      }
    }
    let bytes = [UInt8](repeating: 1, count: 16 << 20)
    report("SHA-256 of 16 MiB", runs: 5) {
      var hash = PortableSHA256()
      hash.update(bytes)
      _ = hash.hexDigest()
    }
  }

  private static func report(_ name: String, runs: Int = 50, _ work: () -> Void) {
    let clock = ContinuousClock()
    work()
    let stage = Stage(
      of: (0..<runs).map { _ in
        let (seconds, attoseconds) = clock.measure(work).components
        return Double(seconds) * 1e3 + Double(attoseconds) / 1e15
      })
    print(
      name.padding(toLength: 44, withPad: " ", startingAt: 0)
        + String(
          format: "median %6.2f ms   p90 %6.2f ms   least %6.2f ms", stage.p50Ms, stage.p90Ms,
          stage.minMs))
  }

  private static func pattern(width: Int, height: Int) -> Picture {
    Picture(
      data: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 / 7 * 31 + $0 % 3 * 40) },
      width: width, height: height)
  }

  /// Picture to aligned face, for a face of `faceEdge` px in the middle.
  private static func alignment(width: Int, height: Int, faceEdge: Double) -> Matrix {
    let scale = faceEdge / Double(size)
    let (left, top) = ((Double(width) - faceEdge) / 2, (Double(height) - faceEdge) / 2)
    let points = template.map { Point(x: left + $0.x * scale, y: top + $0.y * scale) }
    return fitSimilarity(points, to: template)
  }

  /// The outline of a face, in the picture.
  private static func ellipse(_ back: Matrix) -> [Point] {
    (0..<36).map { i in
      let angle = Double(i) * .pi / 18
      return back.apply(Point(x: 128 + 80 * cos(angle), y: 140 + 105 * sin(angle)))
    }
  }
}

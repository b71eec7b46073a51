/// The face of a live picture: smoothed over time, and kept for some frames in which none is found.
/// Without it the swap trembles and flickers.
public struct HeldFace: Sendable {
  /// Number of frames that a face is held: a fifth of a second at 30 frames per second.
  public static let heldFrames = 6

  private var filter: OneEuro?
  private var last: (face: FoundFace, seconds: Double)?
  private var missed = 0

  public init() {}

  /// - Parameters:
  ///   - face: as seen in this frame, nil where none is.
  ///   - seconds: when the frame was taken.
  /// - Returns: the face to swap in this frame.
  public mutating func step(_ face: FoundFace?, seconds: Double) -> FoundFace? {
    guard let face else {
      missed += 1
      if missed > Self.heldFrames { (filter, last) = (nil, nil) }
      return last?.face
    }
    missed = 0
    var shown = face
    let points = face.points + face.outline
    if let last, isSame(face, as: last.face),
      let smooth = filter?.step(points, seconds: seconds - last.seconds)
    {
      shown.points = Array(smooth.prefix(face.points.count))
      shown.outline = Array(smooth.dropFirst(face.points.count))
    } else {
      filter = OneEuro(points)
    }
    last = (shown, seconds)
    return shown
  }

  /// Whether two faces may be one that moved: within half a face of where it was.
  private func isSame(_ face: FoundFace, as other: FoundFace) -> Bool {
    guard face.outline.count == other.outline.count, face.points.count == other.points.count,
      let one = face.points.first, let two = other.points.first
    else { return false }
    let (dx, dy) = (one.x - two.x, one.y - two.y)
    return (dx * dx + dy * dy).squareRoot() < face.side / 2
  }
}

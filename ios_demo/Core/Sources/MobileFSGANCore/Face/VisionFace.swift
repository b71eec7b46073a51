extension FoundFace {
  /// A face from the landmarks that Vision gives, all in pixels of the picture, y down.
  ///
  /// - Parameters:
  ///   - leftPupil: one eye.
  ///   - rightPupil: the other; which is which does not matter.
  ///   - noseCrest: from between the eyes to the tip; the end far from the eyes is the tip.
  ///   - outerLips: around the mouth; the ends along the line of the eyes are its corners.
  ///   - contour: from temple to temple, along the chin.
  ///   - yaw: how far the head is turned to the side, in radians.
  /// - Returns: nil where a part is missing, or a place is not finite.
  public init?(
    leftPupil: [Point], rightPupil: [Point], noseCrest: [Point], outerLips: [Point],
    contour: [Point], yaw: Double
  ) {
    let parts = [leftPupil, rightPupil, noseCrest, outerLips, contour]
    guard parts.allSatisfy({ !$0.isEmpty }), yaw.isFinite,
      parts.joined().allSatisfy({ $0.x.isFinite && $0.y.isFinite })
    else { return nil }
    var (left, right) = (mean(of: leftPupil), mean(of: rightPupil))
    let mouth = mean(of: outerLips)
    // Seen upright, the mouth is below the line from the left eye to the right one.
    let below = (right.x - left.x) * (mouth.y - left.y) - (right.y - left.y) * (mouth.x - left.x)
    if below < 0 { (left, right) = (right, left) }
    let (dx, dy) = (right.x - left.x, right.y - left.y)
    let (toTheRight, down) = (Self.along(dx, dy), Self.along(-dy, dx))
    guard below != 0, let tip = noseCrest.max(by: down), let first = outerLips.min(by: toTheRight),
      let last = outerLips.max(by: toTheRight)
    else { return nil }
    self.init(
      points: [left, right, tip, first, last],
      outline: Self.withForehead(contour), yaw: yaw)
  }

  /// Whether one point comes before another in a direction.
  private static func along(_ dx: Double, _ dy: Double) -> (Point, Point) -> Bool {
    { $0.x * dx + $0.y * dy < $1.x * dx + $1.y * dy }
  }
}

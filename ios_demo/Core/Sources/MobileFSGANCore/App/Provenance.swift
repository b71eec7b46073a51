/// How a swapped picture says that it is synthetic.
///
/// The metadata are always written. The badge is on by default, and what is saved or shared has it
/// burned in.
public struct Provenance: Equatable, Sendable {
  public var hasBadge: Bool

  public init(hasBadge: Bool = true) {
    self.hasBadge = hasBadge
  }

  public static let badgeText = "AI · face swapped"

  /// IPTC: a real picture, parts of which a trained model made.
  public static let digitalSourceType =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

  /// XMP properties of a saved picture, as pipeline/media/label.py writes them.
  public static let xmp = [
    XMPProperty(
      namespace: "http://iptc.org/std/Iptc4xmpExt/2008-02-29/", prefix: "Iptc4xmpExt",
      name: "DigitalSourceType", value: digitalSourceType),
    XMPProperty(
      namespace: "http://ns.adobe.com/xap/1.0/", prefix: "xmp", name: "CreatorTool",
      value: "MobileFSGAN toolkit"),
  ]

  /// Place of the badge, in pixels from the top left: in the lower left corner, 3.5 % of the shorter
  /// edge high, at least 14 pixels. Nil if the picture gets none.
  ///
  /// - Parameter textWidth: of `badgeText` for a letter height of 1.
  public func badge(width: Int, height: Int, textWidth: Double) -> BadgePlace? {
    guard hasBadge else { return nil }
    let tall = max(14, (Double(min(width, height)) * 0.035).rounded())
    let margin = min(tall / 2, Double(height) / 4, Double(width) / 4)
    let letters = tall * 0.6
    return BadgePlace(
      left: margin, top: max(0, Double(height) - margin - tall),
      width: min(letters * textWidth + tall, Double(width) - margin), height: tall,
      fontSize: letters, cornerRadius: tall / 3)
  }
}

/// One property of a picture's XMP metadata.
public struct XMPProperty: Equatable, Sendable {
  public let namespace, prefix, name, value: String
}

/// Where the badge lies, and how large its letters are, in pixels.
public struct BadgePlace: Equatable, Sendable {
  public let left, top, width, height, fontSize, cornerRadius: Double
}

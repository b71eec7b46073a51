import CoreGraphics
import CoreVideo
import MobileFSGANCore
import UIKit

/// Burns the badge "AI · face swapped" into a picture.
enum BadgePainter {
  static func paint(_ provenance: Provenance, into buffer: CVPixelBuffer) throws {
    let unit = size(of: Provenance.badgeText, fontSize: 100)
    guard
      let place = provenance.badge(
        width: buffer.width, height: buffer.height, textWidth: unit.width / 100)
    else { return }
    try buffer.draw { context in
      // UIKit draws from the top left.
      context.translateBy(x: 0, y: CGFloat(buffer.height))
      context.scaleBy(x: 1, y: -1)
      UIGraphicsPushContext(context)
      draw(place)
      UIGraphicsPopContext()
    }
  }

  private static func draw(_ place: BadgePlace) {
    let frame = CGRect(x: place.left, y: place.top, width: place.width, height: place.height)
    UIColor(white: 0, alpha: 0.67).setFill()
    UIBezierPath(roundedRect: frame, cornerRadius: place.cornerRadius).fill()
    let text = size(of: Provenance.badgeText, fontSize: place.fontSize)
    attributed(Provenance.badgeText, place.fontSize).draw(
      at: CGPoint(x: frame.midX - text.width / 2, y: frame.midY - text.height / 2))
  }

  private static func size(of text: String, fontSize: Double) -> CGSize {
    attributed(text, fontSize).size()
  }

  private static func attributed(_ text: String, _ fontSize: Double) -> NSAttributedString {
    NSAttributedString(
      string: text,
      attributes: [.font: UIFont.systemFont(ofSize: fontSize), .foregroundColor: UIColor.white])
  }
}

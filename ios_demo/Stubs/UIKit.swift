@_exported import CoreGraphics

@MainActor public final class UIDevice {
  public static var current: UIDevice { fatalError() }
  public var systemVersion: String { fatalError() }
}

@MainActor public final class UIApplication {
  public static var shared: UIApplication { fatalError() }
  public var isIdleTimerDisabled: Bool {
    get { fatalError() }
    set { fatalError() }
  }
  public nonisolated static let didReceiveMemoryWarningNotification = Notification.Name("")
}

public final class UIColor: @unchecked Sendable {
  public init(white: CGFloat, alpha: CGFloat) { fatalError() }
  public static var white: UIColor { fatalError() }
  public func setFill() { fatalError() }
}
public final class UIFont: @unchecked Sendable {
  public static func systemFont(ofSize size: CGFloat) -> UIFont { fatalError() }
}
public final class UIBezierPath {
  public init(roundedRect: CGRect, cornerRadius: CGFloat) { fatalError() }
  public func fill() { fatalError() }
}
public func UIGraphicsPushContext(_ context: CGContext) { fatalError() }
public func UIGraphicsPopContext() { fatalError() }

extension NSAttributedString.Key {
  public static var font: NSAttributedString.Key { fatalError() }
  public static var foregroundColor: NSAttributedString.Key { fatalError() }
}
extension NSAttributedString {
  public func size() -> CGSize { fatalError() }
  public func draw(at point: CGPoint) { fatalError() }
}

@_exported import AppleBase

extension NotificationCenter {
  public struct Publisher {
    public func receive(on queue: DispatchQueue) -> Publisher { fatalError() }
  }
  public func publisher(for name: Notification.Name, object: AnyObject? = nil) -> Publisher {
    fatalError()
  }
}

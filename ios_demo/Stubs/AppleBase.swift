// What Foundation has on Apple's systems and not on Linux. Every other stub exports it.
@_exported import Foundation

// Core Foundation's types are bridged to these.
public typealias CFString = String
public typealias CFURL = URL
public typealias CFData = Data
public typealias CFDictionary = [String: Any]
public struct CFAllocator: @unchecked Sendable {}
public let kCFAllocatorDefault: CFAllocator? = nil

// MacTypes.h: a name that Core uses as well, so the app has to say which it means.
public struct Point {
  public var v: Int16
  public var h: Int16
}

extension ProcessInfo {
  public enum ThermalState: Int, Sendable {
    case nominal, fair, serious, critical
  }
  public var thermalState: ThermalState { fatalError() }
  public static let thermalStateDidChangeNotification = Notification.Name("")
}

extension URL {
  public func startAccessingSecurityScopedResource() -> Bool { fatalError() }
  public func stopAccessingSecurityScopedResource() { fatalError() }
}

extension FloatingPoint {
  public func formatted(_ style: NumberStyle) -> String { fatalError() }
}
public struct NumberStyle: Sendable {
  public struct Precision: Sendable {
    public static func fractionLength(_ length: Int) -> Precision { fatalError() }
  }
  public static var number: NumberStyle { fatalError() }
  public func precision(_ precision: Precision) -> NumberStyle { fatalError() }
}

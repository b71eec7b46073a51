import Foundation
import MobileFSGANCore

/// What the user chose; kept between starts.
struct Settings: Codable, Equatable {
  var precision = "fp16"
  /// Nil for the fastest.
  var units: ComputeUnits?
  var camera = CameraPosition.front
  var hasBadge = true
  var showsTimes = true

  private static let key = "settings"

  static func saved(in defaults: UserDefaults = .standard) -> Settings {
    guard let data = defaults.data(forKey: key),
      let settings = try? JSONDecoder().decode(Settings.self, from: data)
    else { return Settings() }
    return settings
  }

  func save(in defaults: UserDefaults = .standard) {
    if let data = try? JSONEncoder().encode(self) { defaults.set(data, forKey: Self.key) }
  }
}

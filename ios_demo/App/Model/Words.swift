import Foundation
import MobileFSGANCore

extension Notice {
  /// In the user's language: the English sentence is the key into Localizable.xcstrings.
  var localized: String {
    text { Bundle.main.localizedString(forKey: $0, value: $0, table: nil) }
  }
}

import Foundation
import MobileFSGANCore

extension Notice {
  /// In the user's language: the English sentence is the key into Localizable.xcstrings.
  var localized: String {
    filled(into: Bundle.main.localizedString(forKey: sentence, value: sentence, table: nil))
  }
}

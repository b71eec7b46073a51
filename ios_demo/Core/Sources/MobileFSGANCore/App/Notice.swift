import Foundation

/// A sentence for the user: English text with `%@` for every value.
///
/// The English text is the key into the app's String Catalog, so this module needs no resources.
public struct Notice: Hashable, Sendable, CustomStringConvertible {
  public let sentence: String
  public let values: [String]
  /// A reason is the last value, and has a translation of its own. One at most.
  private let reasons: [Notice]

  public init(_ sentence: String, _ values: String..., because reason: Notice? = nil) {
    self.sentence = sentence
    self.values = values
    reasons = [reason].compactMap { $0 }
  }

  /// The English text with its values.
  public var description: String { text { $0 } }

  /// The text in another language.
  ///
  /// - Parameter translate: gives the translation of a sentence. It has `%@` for the next value, or
  ///   `%1$@`, `%2$@` where a language needs another order. A place without a value stays as it is.
  public func text(_ translate: (String) -> String) -> String {
    let values = values + reasons.map { $0.text(translate) }
    return Self.fill(translate(sentence), values)
  }

  private static func fill(_ translation: String, _ values: [String]) -> String {
    var (text, rest, next) = ("", Substring(translation), 0)
    while let percent = rest.firstIndex(of: "%") {
      text += rest[..<percent]
      rest = rest[percent...]
      let length: Int
      let place: Int
      if rest.hasPrefix("%@") {
        (length, place) = (2, next)
        next += 1
      } else if rest.dropFirst(2).hasPrefix("$@"),
        let number = rest.dropFirst().first?.wholeNumberValue
      {
        (length, place) = (4, number - 1)
      } else {
        (length, place) = (1, -1)
      }
      text += values.indices.contains(place) ? values[place] : String(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return text + rest
  }
}

/// An error that can be shown as it is.
public struct AppError: Error, Equatable, Sendable, CustomStringConvertible {
  public let notice: Notice

  public init(_ notice: Notice) {
    self.notice = notice
  }

  public var description: String { notice.description }
}

extension Notice {
  /// What to show for any error: an `AppError` has its own words, the system's are localised.
  public init(of error: any Error) {
    if let error = error as? AppError {
      self = error.notice
    } else if type(of: error) is NSError.Type || error is CocoaError {
      self.init("%@", error.localizedDescription)
    } else {
      self.init("%@", "\(error)")
    }
  }
}

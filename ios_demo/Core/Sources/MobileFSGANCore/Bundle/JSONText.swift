import Foundation

/// JSON from files that may come from anywhere.
public enum JSONText {
  /// Decode a value.
  ///
  /// Up to iOS 18.2 Foundation's decoder ends the program at a control character in a key
  /// (swiftlang/swift-foundation#1260). Its other parser refuses such text, and reads it first.
  ///
  /// - Throws: `DecodingError` where the text is not JSON or has not the type's form.
  public static func decode<Value: Decodable>(_ type: Value.Type, from text: Data) throws -> Value {
    do {
      _ = try JSONSerialization.jsonObject(with: text, options: .fragmentsAllowed)
    } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "not JSON", underlyingError: error))
    }
    return try JSONDecoder().decode(type, from: text)
  }
}

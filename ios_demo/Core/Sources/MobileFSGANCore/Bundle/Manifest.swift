import Foundation

/// `manifest.json`: everything an app has to know about a bundle. Explained in model/contract.py.
public struct Manifest: Codable, Equatable, Sendable {
  /// What this version reads.
  public static let schema = 1

  /// The bundle's name.
  public let name: String
  /// Where a face must lie before the models see it.
  public let align: Align
  /// The part of an aligned face that shows who it is.
  public let identity: IdentityCrop
  /// All model files.
  public let models: [ModelSpec]
  /// What whoever uses the models has to know.
  public let notice: String

  /// Where a face must lie: a square, and the five points in it.
  public struct Align: Codable, Equatable, Sendable {
    /// Edge of the aligned face in pixels.
    public let size: Int
    /// Eyes, nose, corners of the mouth; left as seen in the picture first.
    public let template: [Point]
  }

  /// A square of the aligned face, from `start` to `stop`, resized to `size` pixels.
  public struct IdentityCrop: Codable, Equatable, Sendable {
    /// First row and column.
    public let start: Int
    /// The row and column after the last ones.
    public let stop: Int
    /// Edge that it is resized to, in pixels.
    public let size: Int
  }

  /// Read the JSON text. Keys that are not known are ignored.
  ///
  /// - Throws: `ManifestError` where it is damaged, or of a schema that is not known.
  public init(json: Data) throws {
    do {
      let schema = try JSONText.decode(SchemaOnly.self, from: json).schema
      guard schema == Self.schema else { throw ManifestError.schema(schema) }
      self = try JSONText.decode(Self.self, from: json)
    } catch let error as DecodingError {
      throw ManifestError(error)
    }
    try check()
  }

  private struct SchemaOnly: Decodable {
    let schema: Int
  }

  private func check() throws {
    try expect((1...4096).contains(align.size), "align.size is \(align.size)", "1 to 4096")
    try expect(align.template.count == 5, "align.template has another count", "5 points")
    try expect(
      0 <= identity.start && identity.start < identity.stop && identity.stop <= align.size
        && (1...align.size).contains(identity.size),
      "identity is \(identity.start)..\(identity.stop) to \(identity.size)",
      "a part of the aligned face")
    for model in models { try model.check() }
  }
}

/// Why a manifest is refused.
public struct ManifestError: Error, Equatable, CustomStringConvertible {
  /// What was wrong, what was expected, what to do.
  public let description: String

  static func schema(_ found: Int) -> ManifestError {
    ManifestError(
      "The manifest has schema \(found); this app reads schema \(Manifest.schema). Export the "
        + "bundle again, or update the app.")
  }

  init(_ description: String) {
    self.description = description
  }

  init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      self.init("The manifest lacks \(Self.place(context, key)). Export the bundle again.")
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      self.init("\(Self.place(context)) is not of the expected type. Export the bundle again.")
    default:
      self.init("The manifest is not JSON that can be read. Export the bundle again.")
    }
  }

  /// `models[0].inputs[1].name`, as in Python's messages.
  private static func place(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil)
    -> String
  {
    let path = (context.codingPath + (last.map { [$0] } ?? [])).map { key in
      key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)"
    }
    return path.isEmpty ? "the manifest" : "manifest\(path.joined())"
  }
}

func expect(_ right: Bool, _ found: String, _ expected: String) throws {
  guard !right else { return }
  throw ManifestError("\(found); expected \(expected). Export the bundle again.")
}

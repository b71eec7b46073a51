import Foundation

/// SHA-256 and size of a file, or of a package folder: every file's path within the folder, a zero
/// byte and its content, in the order of the paths. The same as `digest` in model/digest.py.
public struct FileDigest: Equatable, Sendable {
  public let sha256: String
  public let bytes: Int

  /// - Throws: where something cannot be read, or is a link.
  public init(of place: URL) throws {
    var (hash, size) = (SHA256(), 0)
    if try Self.kind(place) == .typeDirectory {
      for path in try Self.paths(below: place) {
        hash.update(Array(path.joined(separator: "/").utf8) + [0])
        size += try Self.add(path.reduce(place) { $0.appendingPathComponent($1) }, to: &hash)
      }
    } else {
      size = try Self.add(place, to: &hash)
    }
    (sha256, bytes) = (hash.hexDigest(), size)
  }

  /// What file managers leave in folders does not count.
  private static func isLitter(_ name: String) -> Bool {
    [".DS_Store", ".localized", "Thumbs.db", "desktop.ini"].contains(name) || name.hasPrefix("._")
  }

  private static func paths(below folder: URL) throws -> [[String]] {
    var found: [[String]] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let place = folder.appendingPathComponent(name)
      switch try kind(place) {
      case .typeDirectory: found += try paths(below: place).map { [name] + $0 }
      case .typeRegular where !isLitter(name): found.append([name])
      case .typeRegular: break
      default: throw AppError(.unreadable(name))
      }
    }
    return found.sorted {
      $0.lexicographicallyPrecedes($1) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
  }

  private static func kind(_ place: URL) throws -> FileAttributeType? {
    try FileManager.default.attributesOfItem(atPath: place.path)[.type] as? FileAttributeType
  }

  private static func add(_ file: URL, to hash: inout SHA256) throws -> Int {
    guard try kind(file) == .typeRegular else {
      throw AppError(.unreadable(file.lastPathComponent))
    }
    let handle = try FileHandle(forReadingFrom: file)
    defer { try? handle.close() }
    var size = 0
    while let part = try handle.read(upToCount: 1 << 20), !part.isEmpty {
      hash.update(part)
      size += part.count
    }
    return size
  }
}

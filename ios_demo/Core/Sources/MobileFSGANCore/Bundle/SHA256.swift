import Foundation

#if canImport(CryptoKit)
  import CryptoKit

  /// A SHA-256 that takes its input in parts: CryptoKit's, which runs on the processor's own
  /// instructions.
  public struct SHA256: Sendable {
    private var hash = CryptoKit.SHA256()

    /// Of nothing yet.
    public init() {}

    /// Take in the next part.
    public mutating func update<Part: ContiguousBytes>(_ part: Part) {
      part.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }

    /// 64 hexadecimal digits of everything so far.
    public func hexDigest() -> String {
      hash.finalize().map { String(format: "%02x", $0) }.joined()
    }
  }
#else
  /// A SHA-256 that takes its input in parts.
  public typealias SHA256 = PortableSHA256
#endif

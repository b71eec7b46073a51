import CoreGraphics

/// Whose face is put on others.
struct Source {
  let picture: CGImage
  /// Unit L2 norm.
  let identity: [Float]
}

/// One model file of a bundle.
public struct ModelSpec: Codable, Equatable, Sendable {
  /// `generator` or `identity`.
  public let model: String
  /// Its name in the bundle's folder.
  public let file: String
  /// `mlpackage` for Core ML.
  public let format: String
  /// `fp32`, `fp16`, `int8` and so on.
  public let precision: String
  /// Of the file, or of all files of a package folder.
  public let sha256: String
  /// Likewise.
  public let bytes: Int
  /// What the model takes.
  public let inputs: [TensorSpec]
  /// What it gives.
  public let outputs: [TensorSpec]

  func check() throws {
    try expect(["generator", "identity"], model, "model")
    try expect(["pt", "onnx", "tflite", "mlpackage"], format, "format")
    try expect(["fp32", "fp16", "int8", "dynamic", "pal6", "w8a8"], precision, "precision")
    // A manifest may come from anywhere; a file name must not lead out of its bundle.
    let separators: Set<Character> = ["/", "\\", "\0"]
    try MobileFSGANCore.expect(
      !file.isEmpty && !file.hasPrefix(".") && !file.contains(where: separators.contains),
      "a model's file is '\(file)'", "a plain file name")
    try MobileFSGANCore.expect(bytes > 0, "\(file) has \(bytes) bytes", "a size")
    for tensor in inputs + outputs { try tensor.check(in: file) }
  }

  private func expect(_ words: [String], _ found: String, _ key: String) throws {
    try MobileFSGANCore.expect(
      words.contains(found), "\(key) of \(file) is '\(found)'", words.joined(separator: ", "))
  }
}

/// One input or output of a model, addressed by its name, never by its position.
public struct TensorSpec: Codable, Equatable, Sendable {
  /// The tensor's name in the file.
  public let name: String
  /// All axes, batch first.
  public let shape: [Int]
  /// What the axes mean: `NCHW`, `NHWC`, or `NC` for a batch of vectors.
  public let layout: String
  /// `float32` or `uint8`, little-endian.
  public let dtype: String
  /// Smallest and largest value, in the units of the stored numbers.
  public let range: [Double]
  /// `RGB` for a picture.
  public let color: String?
  /// Real value = scale * (stored - zeroPoint); nil where stored values are real.
  public let scale: Double?
  /// See `scale`.
  public let zeroPoint: Int?

  enum CodingKeys: String, CodingKey {
    case name, shape, layout, dtype, range, color, scale
    case zeroPoint = "zero_point"
  }

  func check(in file: String) throws {
    let place = "of '\(name)' of \(file) is"
    let layouts = ["NCHW", "NHWC", "NC"]
    try expect(
      layouts.contains(layout), "layout \(place) \(layout)", layouts.joined(separator: ", "))
    try expect(["float32", "uint8"].contains(dtype), "dtype \(place) \(dtype)", "float32 or uint8")
    try expect(range.count == 2, "range \(place) \(range)", "two numbers")
    try expect(
      shape.count == layout.count && shape.allSatisfy { (1...8192).contains($0) },
      "shape \(place) \(shape)", "\(layout.count) axes")
  }
}

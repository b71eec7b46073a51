@_exported import CoreVideo

public enum MLComputeUnits: Int, Sendable {
  case cpuOnly, cpuAndGPU, all, cpuAndNeuralEngine
}

public final class MLModelConfiguration {
  public init() {}
  public var computeUnits: MLComputeUnits = .all
}

public final class MLModel {
  public static func compileModel(at url: URL) async throws -> URL { fatalError() }
  public static func load(
    contentsOf url: URL, configuration: MLModelConfiguration = MLModelConfiguration()
  ) async throws -> MLModel { fatalError() }
  public func prediction(from input: any MLFeatureProvider, options: MLPredictionOptions)
    async throws -> any MLFeatureProvider
  { fatalError() }
}

public final class MLPredictionOptions {
  public init() {}
  public var outputBackings: [String: Any] = [:]
}

public protocol MLFeatureProvider: AnyObject {
  func featureValue(for name: String) -> MLFeatureValue?
}

public final class MLDictionaryFeatureProvider: MLFeatureProvider {
  public init(dictionary: [String: Any]) throws { fatalError() }
  public func featureValue(for name: String) -> MLFeatureValue? { fatalError() }
}

public final class MLFeatureValue {
  public convenience init(pixelBuffer: CVPixelBuffer) { fatalError() }
  public convenience init(multiArray: MLMultiArray) { fatalError() }
  public var imageBufferValue: CVPixelBuffer? { fatalError() }
  public var multiArrayValue: MLMultiArray? { fatalError() }
}

public enum MLMultiArrayDataType: Int {
  case double, float32, float16, int32
}

public final class MLMultiArray {
  public init(shape: [NSNumber], dataType: MLMultiArrayDataType) throws { fatalError() }
  public var count: Int { fatalError() }
  public subscript(index: Int) -> NSNumber {
    get { fatalError() }
    set { fatalError() }
  }
  public func withUnsafeMutableBytes<R>(
    _ body: (UnsafeMutableRawBufferPointer, [Int]) throws -> R
  ) rethrows -> R { fatalError() }
}

public final class MLComputePlan {
  public static func load(contentsOf url: URL, configuration: MLModelConfiguration) async throws
    -> MLComputePlan
  { fatalError() }
  public var modelStructure: MLModelStructure { fatalError() }
  public func deviceUsage(for operation: MLModelStructure.Program.Operation) -> DeviceUsage? {
    fatalError()
  }
  public struct DeviceUsage {
    public var preferred: MLComputeDevice { fatalError() }
  }
}

public enum MLComputeDevice {
  case cpu(MLCPUComputeDevice)
  case gpu(MLGPUComputeDevice)
  case neuralEngine(MLNeuralEngineComputeDevice)
}
public final class MLCPUComputeDevice {}
public final class MLGPUComputeDevice {}
public final class MLNeuralEngineComputeDevice {}

public enum MLModelStructure {
  case program(Program)
  case unsupported

  public struct Program {
    public var functions: [String: Function] { fatalError() }
    public struct Function {
      public var block: Block { fatalError() }
    }
    public struct Block {
      public var operations: [Operation] { fatalError() }
    }
    public struct Operation {}
  }
}

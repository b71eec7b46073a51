import CoreVideo
import MobileFSGANCore
import XCTest

@testable import MobileFSGAN

/// The app's model with a camera and a face finder of the test's own, and without a bundle.
@MainActor
final class AppModelTests: XCTestCase {
  private struct NoFaces: FaceFinding {
    func faces(in buffer: CVPixelBuffer) throws -> [FoundFace] { [] }
  }

  private func model(isAllowed: Bool = true) -> AppModel {
    let picture = Picture(data: [UInt8](repeating: 90, count: 64 * 48 * 3), width: 64, height: 48)
    let home = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    return AppModel(
      camera: StillCamera(picture, isAllowed: isAllowed), finder: NoFaces(),
      store: BundleStore(home: home, shipped: nil))
  }

  private func wait(_ condition: () -> Bool) async throws {
    for _ in 0..<100 where !condition() { try await Task.sleep(for: .milliseconds(50)) }
    XCTAssertTrue(condition())
  }

  func testThePictureIsShownAsItIsBeforeThereIsASource() async throws {
    let model = model()
    model.handle(.camera(.wanted))
    try await wait { model.live.picture != nil }
    XCTAssertEqual(model.state.camera, .running)
    XCTAssertEqual(model.live.picture?.hasFace, false)
    model.handle(.background)
    XCTAssertEqual(model.state.camera, .paused)
  }

  func testARefusedCameraIsSaid() async throws {
    let model = model(isAllowed: false)
    model.handle(.camera(.wanted))
    try await wait { model.state.camera == .denied }
    XCTAssertEqual(model.state.notices.first, .cameraDenied)
  }
}

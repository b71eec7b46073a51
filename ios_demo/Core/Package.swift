// swift-tools-version: 5.9
import PackageDescription

let package = Package(
  name: "MobileFSGANCore",
  platforms: [.iOS(.v17), .macOS(.v13)],
  products: [.library(name: "MobileFSGANCore", targets: ["MobileFSGANCore"])],
  targets: [
    .target(name: "MobileFSGANCore"),
    .executableTarget(name: "core-bench", dependencies: ["MobileFSGANCore"]),
    .testTarget(name: "MobileFSGANCoreTests", dependencies: ["MobileFSGANCore"]),
  ]
)

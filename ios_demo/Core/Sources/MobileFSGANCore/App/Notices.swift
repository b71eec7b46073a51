/// Every sentence that the state machines and the bundle reader say.
// The sentences are their own documentation.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension Notice {
  // Camera
  public static let cameraDenied = Notice(
    """
    The camera is not allowed. Allow it in Settings > Privacy & Security > Camera, or swap in \
    photos.
    """
  )
  public static let cameraInUse = Notice(
    "Another app uses the camera. The picture continues when that app has finished.")
  public static let cameraNotInSplitView = Notice(
    "The camera stops while several apps share the screen. Show this app alone.")
  public static let cameraTooHot = Notice(
    "The phone is too hot for the camera. The picture continues when it has cooled down.")
  public static let cameraInterrupted = Notice(
    "The camera was interrupted. The picture continues by itself.")
  public static func cameraFailed(_ why: String) -> Notice {
    Notice("The camera does not start: %@", why)
  }

  // Heat and memory
  public static let hot = Notice("The phone is hot: half the frame rate.")
  public static let veryHot = Notice("The phone is very hot: a quarter of the frame rate.")
  public static let memoryIsShort = Notice("Memory is short: cached pictures were dropped.")

  // Bundle
  public static let noBundle = Notice(
    """
    The app holds no models. Run python -m export.bundle --ios BUNDLE and build again, or import \
    a bundle folder from Files.
    """
  )
  public static func unreadable(_ file: String) -> Notice {
    Notice("%@ cannot be read. Copy or export the bundle again.", file)
  }
  public static func badManifest(_ why: Notice) -> Notice {
    Notice("The bundle is refused. %@", because: why)
  }
  public static func missing(_ file: String) -> Notice {
    Notice("The bundle lacks %@, which its manifest names. Export it again.", file)
  }
  public static func damaged(_ file: String) -> Notice {
    Notice(
      """
      %@ is not the file that the manifest describes; it was damaged or exchanged. Copy the \
      bundle again.
      """,
      file)
  }
  public static func noModel(_ file: String) -> Notice {
    Notice("The bundle has no %@. Make it with python -m export.coreml.", file)
  }
  public static let noGolden = Notice(
    """
    The bundle has no readable golden samples, so no result can be checked. Export it without \
    --no-parity.
    """
  )

  // Models
  public static func notLoaded(_ file: String, _ units: String, _ why: Notice) -> Notice {
    Notice("%@ does not load on %@: %@", file, units, because: why)
  }
  public static func usingCPU(_ units: String, _ why: Notice) -> Notice {
    Notice("%@ is not used: %@ The CPU computes instead.", units, because: why)
  }
  public static func missed(_ decibels: String, _ gate: String) -> Notice {
    Notice("The self-test gave %@ dB; %@ dB are needed.", decibels, gate)
  }
  public static func notUsed(_ units: String, _ why: Notice) -> Notice {
    Notice("%@ is not used: %@", units, because: why)
  }
  public static func selfTest(_ decibels: String, _ ms: String, _ units: String) -> Notice {
    Notice("Self-test: %@ dB, %@ ms on %@", decibels, ms, units)
  }
  public static func otherSize(_ found: String, _ expected: String) -> Notice {
    Notice(
      "A picture has %@ values; expected %@. Export the bundle again.", found,
      expected)
  }
  public static let notReady = Notice("The model is not ready yet.")
  public static let diedLastTime = Notice("The app ended when it last tried this.")

  public static func otherOutput(_ file: String, _ tensor: String) -> Notice {
    Notice("%@ has no picture or vector called %@. Export the bundle again.", file, tensor)
  }

  // Pictures
  public static let noPicture = Notice("This file is no picture that can be read.")
  public static let saved = Notice("Saved to your photos.")
  public static let notSaved = Notice("The picture was not saved: its label could not be written.")
  public static let photosDenied = Notice(
    """
    Adding to your photos is not allowed. Allow it in Settings > Privacy & Security > Photos, or \
    share the picture.
    """
  )

  // Faces
  public static let noFaceInSource = Notice(
    "There is no face in the source picture. Choose a photo of one person, seen from the front.")
  public static let noSource = Notice("Choose a source first: the face to put on others.")
  public static let noFace = Notice("No face found.")
  public static let notFinite = Notice(
    "The model gave values that are no numbers. Choose other compute units.")
}

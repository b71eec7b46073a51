package org.mobilefsgan.demo.camera

import org.mobilefsgan.core.Picture
import org.mobilefsgan.demo.CameraState

/** Where live frames come from. CameraX could take the place of Camera2 behind it. */
interface FrameSource {
    /**
     * Starts a camera.
     *
     * @param turnedDeg the display's rotation, for upright frames.
     * @param frames gets upright frames, mirrored for the front camera, on a thread of the source's
     *   own. A frame is valid during the call only.
     * @param changed told when the camera is lost, and when it is back.
     */
    fun start(
        front: Boolean,
        turnedDeg: Int,
        frames: (Picture) -> Unit,
        changed: (CameraState) -> Unit
    )

    fun stop()
}

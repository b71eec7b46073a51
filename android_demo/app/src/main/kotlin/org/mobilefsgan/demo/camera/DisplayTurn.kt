package org.mobilefsgan.demo.camera

import android.app.Activity
import android.view.Surface

/** Degrees by which the display is turned from the device's natural position. */
@Suppress("DEPRECATION") // Activity.display came with API 30
fun Activity.turnedDeg(): Int = when (windowManager.defaultDisplay.rotation) {
    Surface.ROTATION_90 -> 90
    Surface.ROTATION_180 -> 180
    Surface.ROTATION_270 -> 270
    else -> 0
}

package org.mobilefsgan.demo

import org.mobilefsgan.core.Picture

private const val WIDTH = 640
private const val HEIGHT = 480
private const val GREY = 128

/**
 * A camera frame to measure with: a golden sample's aligned face in the middle of 640 x 480 grey
 * pixels, as in the web demo and the iOS app.
 */
fun testFrame(face: Picture): Picture {
    val frame = Picture(WIDTH, HEIGHT)
    frame.rgb.fill(GREY.toByte())
    val left = (WIDTH - face.width) / 2
    val top = (HEIGHT - face.height) / 2
    for (y in 0 until face.height) {
        val row = 3 * y * face.width
        face.rgb.copyInto(frame.rgb, 3 * ((top + y) * WIDTH + left), row, row + 3 * face.width)
    }
    return frame
}

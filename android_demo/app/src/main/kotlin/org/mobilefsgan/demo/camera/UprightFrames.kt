package org.mobilefsgan.demo.camera

import android.media.Image
import org.mobilefsgan.core.Orientation
import org.mobilefsgan.core.Picture
import org.mobilefsgan.core.YuvConverter
import org.mobilefsgan.core.YuvPlane

/** Turns a camera's images into upright pictures. One thread uses it. */
class UprightFrames(private val orientation: Orientation) {
    private val converter = YuvConverter()
    private val upright = Picture(1, 1)

    /** [image] as a picture, which the next call changes. */
    fun of(image: Image): Picture {
        val (y, u, v) = image.planes.map { YuvPlane(it.buffer, it.rowStride, it.pixelStride) }
        converter.convert(image.width, image.height, y, u, v, orientation, upright)
        return upright
    }
}

package org.mobilefsgan.core

import java.nio.ByteBuffer

/**
 * One plane of a YUV_420_888 image, as android.media.Image.Plane describes it.
 *
 * @property rowStride bytes from one row to the next.
 * @property pixelStride bytes from one pixel to the next.
 */
class YuvPlane(var buffer: ByteBuffer, var rowStride: Int, var pixelStride: Int)

/** YUV_420_888 to RGB (JFIF: ITU-R BT.601, full range), rotated and mirrored on the way. */
class YuvConverter {
    private var luma = ByteArray(0)
    private var blue = ByteArray(0)
    private var red = ByteArray(0)

    /**
     * Converts one image.
     *
     * @param width of the image as it came, in pixels; odd ones too.
     * @param y full size; [u] and [v] are of half size, rounded up.
     * @param into becomes the upright picture.
     */
    fun convert(
        width: Int,
        height: Int,
        y: YuvPlane,
        u: YuvPlane,
        v: YuvPlane,
        orientation: Orientation,
        into: Picture
    ) {
        val sideways = orientation.rotation % 180 != 0
        into.reshape(if (sideways) height else width, if (sideways) width else height)
        luma = luma.sized(y, width)
        blue = blue.sized(u, (width + 1) / 2)
        red = red.sized(v, (width + 1) / 2)
        // Where the first pixel goes, and the way from there for a step right and a step down.
        val last = into.size - 3
        val line = into.width * 3
        var start: Int
        var right: Int
        var down: Int
        when (orientation.rotation) {
            0 -> {
                start = 0
                right = 3
                down = line
            }
            90 -> {
                start = line - 3
                right = line
                down = -3
            }
            180 -> {
                start = last
                right = -3
                down = -line
            }
            else -> {
                start = last - line + 3
                right = -line
                down = 3
            }
        }
        if (orientation.mirror) {
            start += line - 3 - 2 * (start % line)
            if (sideways) down = -down else right = -right
        }
        for (row in 0 until height) {
            y.row(row, width, luma)
            if (row % 2 == 0) {
                u.row(row / 2, (width + 1) / 2, blue)
                v.row(row / 2, (width + 1) / 2, red)
            }
            convertRow(width, y.pixelStride, u.pixelStride, v.pixelStride, into.rgb, start, right)
            start += down
        }
    }

    private fun convertRow(
        width: Int,
        lumaStep: Int,
        blueStep: Int,
        redStep: Int,
        to: ByteArray,
        start: Int,
        right: Int
    ) {
        var at = start
        for (x in 0 until width) {
            val level = luma.level(x * lumaStep) shl SHIFT
            val cb = blue.level(x / 2 * blueStep) - MIDDLE
            val cr = red.level(x / 2 * redStep) - MIDDLE
            to[at] = clipped(level + RED * cr)
            to[at + 1] = clipped(level - GREEN_OF_BLUE * cb - GREEN_OF_RED * cr)
            to[at + 2] = clipped(level + BLUE * cb)
            at += right
        }
    }

    private fun clipped(value: Int): Byte {
        val level = (value + HALF) shr SHIFT
        return (
            if (level < 0) {
                0
            } else if (level > 255) {
                255
            } else {
                level
            }
            ).toByte()
    }

    private fun ByteArray.sized(plane: YuvPlane, width: Int): ByteArray {
        val needed = (width - 1) * plane.pixelStride + 1
        return if (size >= needed) this else ByteArray(needed)
    }

    /** Copies a row; the last row of a plane may end with its last pixel. */
    private fun YuvPlane.row(row: Int, width: Int, into: ByteArray) {
        buffer.clear()
        buffer.position(row * rowStride)
        buffer.get(into, 0, (width - 1) * pixelStride + 1)
    }

    private companion object {
        const val MIDDLE = 128
        const val SHIFT = 16
        const val HALF = 1 shl (SHIFT - 1)
        const val RED = 91881 // 1.402 * 65536
        const val GREEN_OF_BLUE = 22554 // 0.344136
        const val GREEN_OF_RED = 46802 // 0.714136
        const val BLUE = 116130 // 1.772
    }
}

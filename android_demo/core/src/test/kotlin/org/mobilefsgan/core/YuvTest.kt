package org.mobilefsgan.core

import java.nio.ByteBuffer
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class YuvTest {
    @Test
    fun `every stride, odd size, rotation and mirror gives Python's picture`() {
        val vectors = Vectors("yuv")
        val converter = YuvConverter()
        val found = Picture(1, 1)
        for (case in vectors.cases) {
            val width = case.whole("width")
            val orientation = Orientation(case.whole("rotation_deg"), case.flag("mirror"))
            val wanted = case.numbers("result")
            for ((padding, lumaStride, chromaStride) in layouts) {
                converter.convert(
                    width,
                    case.whole("height"),
                    plane(case.numbers("y"), width, padding, lumaStride),
                    plane(case.numbers("u"), (width + 1) / 2, padding, chromaStride),
                    plane(case.numbers("v"), (width + 1) / 2, padding, chromaStride),
                    orientation,
                    found
                )
                val away = differences(found.rgb.copyOf(found.size).levels(), wanted).last()
                assertTrue(
                    away <= vectors.tolerance("max_abs_levels"),
                    "$orientation, padding $padding, pixel strides $lumaStride and " +
                        "$chromaStride: $away"
                )
            }
        }
    }

    @Test
    fun `planes that lie in each other, as most cameras give them`() {
        val case = Vectors("yuv").cases.first { !it.flag("mirror") && it.whole("width") == 8 }
        val u = case.numbers("u")
        val v = case.numbers("v")
        val both = ByteBuffer.allocateDirect(2 * u.size)
        for (i in u.indices) both.put(v[i].toInt().toByte()).put(u[i].toInt().toByte())
        both.flip()
        val red = both.duplicate()
        both.position(1)
        val found = Picture(1, 1)
        YuvConverter().convert(
            8,
            6,
            plane(case.numbers("y"), 8, 0, 1),
            YuvPlane(both.slice(), 8, 2),
            YuvPlane(red.slice(), 8, 2),
            Orientation(0, false),
            found
        )
        assertTrue(differences(found.rgb.levels(), case.numbers("result")).last() <= 1)
    }

    @Test
    fun `camera pictures turn upright`() {
        // As CameraX turns them: sensors of most phones are at 90 and 270 degrees.
        assertEquals(Orientation(90, false), Orientation.of(90, 0, front = false))
        assertEquals(Orientation(0, false), Orientation.of(90, 90, front = false))
        assertEquals(Orientation(180, false), Orientation.of(90, 270, front = false))
        assertEquals(Orientation(270, true), Orientation.of(270, 0, front = true))
        assertEquals(Orientation(0, true), Orientation.of(270, 90, front = true))
        assertThrows(IllegalArgumentException::class.java) { Orientation(45, false) }
    }

    /** Padding of a row, pixel stride of luma, pixel stride of chroma. */
    private val layouts = listOf(0, 1, 5).flatMap { padding ->
        (1..3).flatMap { luma -> (1..3).map { chroma -> Triple(padding, luma, chroma) } }
    }

    /** A plane whose last row ends with its last pixel, as android.media.Image gives it. */
    private fun plane(values: DoubleArray, width: Int, padding: Int, pixelStride: Int): YuvPlane {
        val rowStride = width * pixelStride + padding
        val rows = values.size / width
        val lastRow = (width - 1) * pixelStride + 1
        val buffer = ByteBuffer.allocateDirect((rows - 1) * rowStride + lastRow)
        for (i in values.indices) {
            buffer.put(i / width * rowStride + i % width * pixelStride, values[i].toInt().toByte())
        }
        return YuvPlane(buffer, rowStride, pixelStride)
    }
}

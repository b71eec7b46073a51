package org.mobilefsgan.core

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.hypot
import kotlin.math.sin

/** Crops of a picture that models look at: matrices from the picture to a unit square. */
object Crop {
    private const val MARGIN = 1.5 // the crop is that many times the face, as the mesh was trained

    /** Makes [into] a crop to the unit square as one to [size] pixels, centres at the integers. */
    fun view(crop: Affine, size: Int, into: Affine): Affine {
        for (i in 0 until 6) into.values[i] = crop.values[i] * size
        into.values[2] -= 0.5
        into.values[5] -= 0.5
        return into
    }

    /**
     * Makes [into] the crop that a face with these landmarks belongs in: picture to unit square,
     * upright, in the middle.
     *
     * @param five the five points of [mesh].
     */
    fun ofMesh(mesh: DoubleArray, five: DoubleArray, into: Affine): Affine {
        upright(five[0], five[1], five[2], five[3], into)
        val c = into.values[0]
        val s = into.values[1]
        var lowX = Double.POSITIVE_INFINITY
        var lowY = lowX
        var highX = -lowX
        var highY = -lowX
        stride(0, mesh.size, 2) { i ->
            val x = c * mesh[i] + s * mesh[i + 1]
            val y = c * mesh[i + 1] - s * mesh[i]
            lowX = minOf(lowX, x)
            highX = maxOf(highX, x)
            lowY = minOf(lowY, y)
            highY = maxOf(highY, y)
        }
        val side = maxOf(highX - lowX, highY - lowY)
        return around(into, (lowX + highX) / 2, (lowY + highY) / 2, side)
    }

    /** As [ofMesh], from a detector's box and eyes. */
    fun of(candidate: Candidate, into: Affine): Affine {
        upright(candidate.leftX, candidate.leftY, candidate.rightX, candidate.rightY, into)
        val x = into.x(candidate.x, candidate.y)
        val y = into.y(candidate.x, candidate.y)
        return around(into, x, y, candidate.side)
    }

    /** Makes [into] the [crop] turned and enlarged about the middle of the unit square. */
    fun turned(crop: Affine, angleDeg: Double, zoom: Double, into: Affine): Affine {
        val angle = angleDeg * PI / 180
        val c = zoom * cos(angle)
        val s = zoom * sin(angle)
        val m = crop.values
        val x = m[2] - 0.5
        val y = m[5] - 0.5
        return into.set(
            c * m[0] - s * m[3], c * m[1] - s * m[4], c * x - s * y + 0.5,
            s * m[0] + c * m[3], s * m[1] + c * m[4], s * x + c * y + 0.5
        )
    }

    /** Makes [into] the turn that brings the eyes level. */
    private fun upright(
        leftX: Double,
        leftY: Double,
        rightX: Double,
        rightY: Double,
        into: Affine
    ) {
        val length = maxOf(1e-9, hypot(rightX - leftX, rightY - leftY))
        val c = (rightX - leftX) / length
        val s = (rightY - leftY) / length
        into.set(c, s, 0.0, -s, c, 0.0)
    }

    /** Makes the turn [upright] a crop with the turned point (x, y) in its middle. */
    private fun around(upright: Affine, x: Double, y: Double, side: Double): Affine {
        val scale = 1 / (MARGIN * maxOf(side, 1.0))
        val m = upright.values
        return upright.set(
            m[0] * scale, m[1] * scale, 0.5 - x * scale,
            m[3] * scale, m[4] * scale, 0.5 - y * scale
        )
    }
}

package org.mobilefsgan.core

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.cos
import kotlin.math.exp
import kotlin.math.hypot
import kotlin.math.sin

/** Reads the face mesh's output (arXiv:1907.06724), and says which crops faces belong in. */
object FaceMesh {
    /** Number of landmarks. */
    const val COUNT = 468

    /** Outline of the face, in order, from the middle of the forehead clockwise as seen. */
    val OVAL = intArrayOf(
        10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109
    )

    /** Inner edge of the lips, in order. */
    val MOUTH = intArrayOf(
        78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95
    )

    // Left as seen in the picture first: mean of an eye's corners and lids, tip of the nose,
    // corners of the mouth.
    private val FIVE = arrayOf(
        intArrayOf(33, 133, 159, 145),
        intArrayOf(362, 263, 386, 374),
        intArrayOf(1),
        intArrayOf(61),
        intArrayOf(291)
    )
    private const val LEFT_CHEEK = 234
    private const val RIGHT_CHEEK = 454
    private const val NOSE = 1
    private const val MARGIN = 1.5 // the crop is that many times the face, as the mesh was trained

    /**
     * The landmarks in the model's raw output.
     *
     * @param raw x, y, z of each landmark, in pixels of the view.
     * @param back view to picture, pixel centres at the integers in both.
     * @param into becomes x and y of each landmark, in pixels of the picture.
     */
    fun decode(raw: FloatArray, back: Affine, into: DoubleArray) {
        for (i in 0 until COUNT) {
            // Corners of pixels are at the integers in the raw output.
            val x = raw[3 * i] - 0.5
            val y = raw[3 * i + 1] - 0.5
            into[2 * i] = back.x(x, y)
            into[2 * i + 1] = back.y(x, y)
        }
    }

    /** 0 to 1 of a raw score. */
    fun probability(logit: Float): Double = 1 / (1 + exp(-logit.toDouble().coerceIn(-80.0, 80.0)))

    /** Makes [into] a crop to the unit square as one to [size] pixels, centres at the integers. */
    fun view(crop: Affine, size: Int, into: Affine): Affine {
        for (i in 0 until 6) into.values[i] = crop.values[i] * size
        into.values[2] -= 0.5
        into.values[5] -= 0.5
        return into
    }

    /** Makes [into] (10 numbers) the five points of the manifest's template, and returns it. */
    fun fivePoints(mesh: DoubleArray, into: DoubleArray = DoubleArray(10)): DoubleArray {
        for (point in FIVE.indices) {
            var x = 0.0
            var y = 0.0
            for (landmark in FIVE[point]) {
                x += mesh[2 * landmark]
                y += mesh[2 * landmark + 1]
            }
            into[2 * point] = x / FIVE[point].size
            into[2 * point + 1] = y / FIVE[point].size
        }
        return into
    }

    /**
     * How far the head is turned to one side: 0 is frontal, about 1 at 55 degrees.
     *
     * It is the distance from the tip of the nose to the middle between both cheeks' outer edges,
     * along the line between these, in halves of its length.
     */
    fun turnedAside(mesh: DoubleArray): Double {
        val acrossX = mesh[2 * RIGHT_CHEEK] - mesh[2 * LEFT_CHEEK]
        val acrossY = mesh[2 * RIGHT_CHEEK + 1] - mesh[2 * LEFT_CHEEK + 1]
        val x = mesh[2 * NOSE] - (mesh[2 * LEFT_CHEEK] + mesh[2 * RIGHT_CHEEK]) / 2
        val y = mesh[2 * NOSE + 1] - (mesh[2 * LEFT_CHEEK + 1] + mesh[2 * RIGHT_CHEEK + 1]) / 2
        val length = maxOf(acrossX * acrossX + acrossY * acrossY, 1e-9)
        return abs(x * acrossX + y * acrossY) * 2 / length
    }

    /**
     * Makes [into] the crop that a face with these landmarks belongs in: picture to unit square,
     * upright, in the middle.
     *
     * @param five the five points of [mesh].
     */
    fun cropOfMesh(mesh: DoubleArray, five: DoubleArray, into: Affine): Affine {
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

    /** As [cropOfMesh], from a detector's box and eyes. */
    fun cropOf(candidate: Candidate, into: Affine): Affine {
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

package org.mobilefsgan.core

import kotlin.math.abs
import kotlin.math.exp

/** Reads the face mesh's output (arXiv:1907.06724). */
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
}

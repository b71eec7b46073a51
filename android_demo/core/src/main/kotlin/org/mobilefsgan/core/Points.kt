package org.mobilefsgan.core

import kotlin.math.hypot

/**
 * Points are x and y in turn in one array, in pixels: no objects per landmark, so that a frame
 * allocates nothing.
 */
object Points {
    /** Mean of all x. */
    fun centreX(points: DoubleArray): Double = mean(points, 0)

    /** Mean of all y. */
    fun centreY(points: DoubleArray): Double = mean(points, 1)

    /** Longer edge of the box around the points. */
    fun side(points: DoubleArray): Double = maxOf(extent(points, 0), extent(points, 1))

    /** Shorter edge of the box around the points. */
    fun shortSide(points: DoubleArray): Double = minOf(extent(points, 0), extent(points, 1))

    /** Distance of two points, [i] and [j] of [points]. */
    fun distance(points: DoubleArray, i: Int, j: Int): Double =
        hypot(points[2 * j] - points[2 * i], points[2 * j + 1] - points[2 * i + 1])

    /** Maps [points] by [matrix] into [into], which may be [points] itself. */
    fun map(points: DoubleArray, matrix: Affine, into: DoubleArray) {
        stride(0, points.size, 2) { i ->
            val x = points[i]
            val y = points[i + 1]
            into[i] = matrix.x(x, y)
            into[i + 1] = matrix.y(x, y)
        }
    }

    private fun mean(points: DoubleArray, axis: Int): Double {
        var sum = 0.0
        stride(axis, points.size, 2) { i -> sum += points[i] }
        return 2 * sum / points.size
    }

    private fun extent(points: DoubleArray, axis: Int): Double {
        var low = points[axis]
        var high = low
        stride(axis, points.size, 2) { i ->
            low = minOf(low, points[i])
            high = maxOf(high, points[i])
        }
        return high - low
    }
}

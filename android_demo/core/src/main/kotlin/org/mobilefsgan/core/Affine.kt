package org.mobilefsgan.core

import kotlin.math.abs
import kotlin.math.sqrt

/**
 * A 2 x 3 matrix that maps (x, y, 1). Pixel centres lie at the integers.
 *
 * It is mutable, so that a frame reuses the matrices of the last one.
 *
 * @property values rows first, six numbers.
 */
class Affine(vararg val values: Double = doubleArrayOf(1.0, 0.0, 0.0, 0.0, 1.0, 0.0)) {
    init {
        require(values.size == 6) { "a matrix has ${values.size} values; expected 2 x 3" }
    }

    /** Determinant of the 2 x 2 part. */
    val determinant: Double get() = values[0] * values[4] - values[1] * values[3]

    /** How many pixels of the result one pixel is wide. */
    val scale: Double get() = sqrt(abs(determinant))

    /** x of the mapped point. */
    fun x(x: Double, y: Double): Double = values[0] * x + values[1] * y + values[2]

    /** y of the mapped point. */
    fun y(x: Double, y: Double): Double = values[3] * x + values[4] * y + values[5]

    /** Becomes the matrix with these values, rows first. */
    fun set(a: Double, b: Double, c: Double, d: Double, e: Double, f: Double): Affine {
        values[0] = a
        values[1] = b
        values[2] = c
        values[3] = d
        values[4] = e
        values[5] = f
        return this
    }

    /** Becomes a copy of [other]. */
    fun set(other: Affine): Affine {
        other.values.copyInto(values)
        return this
    }

    /** Becomes the matrix that undoes [other]. */
    fun setInverse(other: Affine): Affine {
        val m = other.values
        val by = 1 / other.determinant
        val a = m[4] * by
        val b = -m[1] * by
        val c = -m[3] * by
        val d = m[0] * by
        return set(a, b, -(a * m[2] + b * m[5]), c, d, -(c * m[2] + d * m[5]))
    }

    /** Becomes [first], then [second]. */
    fun setProduct(second: Affine, first: Affine): Affine {
        val s = second.values
        val f = first.values
        return set(
            s[0] * f[0] + s[1] * f[3],
            s[0] * f[1] + s[1] * f[4],
            s[0] * f[2] + s[1] * f[5] + s[2],
            s[3] * f[0] + s[4] * f[3],
            s[3] * f[1] + s[4] * f[4],
            s[3] * f[2] + s[4] * f[5] + s[5]
        )
    }
}

package org.mobilefsgan.core

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.round

/** A polygon of at most [capacity] corners, filled without allocating. */
internal class Polygon(capacity: Int) {
    private val xs = DoubleArray(capacity)
    private val ys = DoubleArray(capacity)
    private val crossings = DoubleArray(capacity)
    private val chain = IntArray(2 * capacity)
    private var count = 0

    /** Forgets all corners. */
    fun clear() {
        count = 0
    }

    /** Adds a corner. */
    fun add(x: Double, y: Double) {
        xs[count] = x
        ys[count] = y
        count++
    }

    /** Becomes its convex hull, by Andrew's monotone chain. */
    fun becomeHull() {
        sortByX()
        var length = 0
        for (i in 0 until count) length = push(i, length, 0)
        val lower = length - 1
        length = lower
        for (i in count - 1 downTo 0) length = push(i, length, lower)
        length-- // the first corner came once more
        reorder(xs, length)
        reorder(ys, length)
        count = length
    }

    /**
     * Fills by the even-odd rule, edges included; corners are rounded to pixels.
     *
     * @param into [size] x [size], becomes 1 inside and 0 outside.
     */
    fun fill(into: ByteArray, size: Int) {
        into.fill(0)
        for (i in 0 until count) {
            xs[i] = round(xs[i])
            ys[i] = round(ys[i])
        }
        for (i in 0 until count) {
            val j = (i + 1) % count
            drawLine(into, size, xs[i].toInt(), ys[i].toInt(), xs[j].toInt(), ys[j].toInt())
        }
        for (y in 0 until size) {
            val found = cross(y)
            stride(0, found - 1, 2) { i ->
                val from = maxOf(0, ceil(crossings[i]).toInt())
                val to = minOf(size - 1, floor(crossings[i + 1]).toInt())
                for (x in from..to) into[y * size + x] = 1
            }
        }
    }

    /** Keeps in `crossings`, rising, where edges cross row [y]; returns how many do. */
    private fun cross(y: Int): Int {
        var found = 0
        for (i in 0 until count) {
            val j = (i + 1) % count
            if ((ys[i] <= y) == (ys[j] <= y)) continue
            val x = xs[i] + (y - ys[i]) * (xs[j] - xs[i]) / (ys[j] - ys[i])
            var k = found++
            while (k > 0 && crossings[k - 1] > x) {
                crossings[k] = crossings[k - 1]
                k--
            }
            crossings[k] = x
        }
        return found
    }

    private fun sortByX() {
        for (i in 1 until count) {
            val x = xs[i]
            val y = ys[i]
            var k = i
            while (k > 0 && (xs[k - 1] > x || (xs[k - 1] == x && ys[k - 1] > y))) {
                xs[k] = xs[k - 1]
                ys[k] = ys[k - 1]
                k--
            }
            xs[k] = x
            ys[k] = y
        }
    }

    /** Puts corner [i] onto the chain, which turns one way from [floor] on; returns its length. */
    private fun push(i: Int, length: Int, floor: Int): Int {
        var kept = length
        while (kept - floor > 1 && turn(chain[kept - 2], chain[kept - 1], i) <= 0) kept--
        chain[kept] = i
        return kept + 1
    }

    private fun turn(a: Int, b: Int, c: Int): Double =
        (xs[b] - xs[a]) * (ys[c] - ys[a]) - (ys[b] - ys[a]) * (xs[c] - xs[a])

    /** Puts [values] into the order of the chain. */
    private fun reorder(values: DoubleArray, length: Int) {
        for (k in 0 until length) crossings[k] = values[chain[k]]
        crossings.copyInto(values, 0, 0, length)
    }
}

/**
 * Bresenham's line from left to right; where two pixels are equally near it takes OpenCV's.
 *
 * @param into [size] x [size].
 */
private fun drawLine(into: ByteArray, size: Int, x0: Int, y0: Int, x1: Int, y1: Int) {
    if (x0 > x1) return drawLine(into, size, x1, y1, x0, y0)
    var x = x0
    var y = y0
    val dx = x1 - x0
    val dy = abs(y1 - y0)
    val stepY = if (y1 < y0) -1 else 1
    val long = maxOf(dx, dy)
    val short = minOf(dx, dy)
    var error = long - 2 * short
    for (i in 0..long) {
        if (x in 0 until size && y in 0 until size) into[y * size + x] = 1
        val both = error < 0
        error += if (both) 2 * (long - short) else -2 * short
        if (dx >= dy || both) x++
        if (dy > dx || both) y += stepY
    }
}

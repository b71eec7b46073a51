package org.mobilefsgan.core

import kotlin.math.abs

/** Tells where a film cuts to another scene, from coarse grey pictures. */
internal class SceneCut {
    private var now = FloatArray(WIDTH * HEIGHT)
    private var last = FloatArray(WIDTH * HEIGHT)
    private var known = false

    /** Whether the picture is the first of a scene. */
    fun begins(pyramid: Pyramid): Boolean {
        val swap = last
        last = now
        now = swap
        coarse(pyramid)
        val first = !known
        known = true
        return first || change() > CUT
    }

    /** The next picture is the first. */
    fun reset() {
        known = false
    }

    private fun change(): Float {
        // A lamp that is switched on shifts all levels, and is no cut.
        val shift = (now.sum() - last.sum()) / now.size
        var sum = 0f
        for (i in now.indices) sum += abs(now[i] - last[i] - shift)
        return sum / now.size
    }

    /** Makes `now` the mean grey of each cell. */
    private fun coarse(pyramid: Pyramid) {
        var level = 0
        while (level < pyramid.deepest() && pyramid.picture.width shr (level + 1) >= 2 * WIDTH &&
            pyramid.picture.height shr (level + 1) >= 2 * HEIGHT
        ) {
            level++
        }
        val picture = pyramid.level(level)
        for (row in 0 until HEIGHT) {
            val top = row * picture.height / HEIGHT
            val bottom = maxOf(top + 1, (row + 1) * picture.height / HEIGHT)
            for (column in 0 until WIDTH) {
                val left = column * picture.width / WIDTH
                val right = maxOf(left + 1, (column + 1) * picture.width / WIDTH)
                var sum = 0f
                for (y in top until bottom) {
                    for (x in left until right) {
                        sum += Light.luma(picture.rgb, (y * picture.width + x) * 3)
                    }
                }
                now[row * WIDTH + column] = sum / ((bottom - top) * (right - left))
            }
        }
    }

    private companion object {
        const val WIDTH = 32
        const val HEIGHT = 18
        const val CUT = 24f // levels of mean change that no motion makes
    }
}

package org.mobilefsgan.core

import kotlin.math.floor
import kotlin.math.log2

/**
 * A picture and, made when first needed, its half, quarter, eighth..., so that any cut-out of it is
 * sampled without aliasing. One pyramid serves all frames: it keeps its buffers.
 */
class Pyramid {
    private val smaller = ArrayList<Picture>()
    private var made = 0
    private var shown: Picture? = null
    private val back = Affine()
    private val step = Affine()

    /** The picture that is shown. */
    val picture: Picture
        get() = checkNotNull(shown) { "the pyramid shows no picture yet; call show() first" }

    /** Shows [picture], which is kept as it is; its halved sizes are made anew. */
    fun show(picture: Picture): Pyramid {
        shown = picture
        made = 0
        return this
    }

    /**
     * Resamples by a similarity; black where the picture ends.
     *
     * @param matrix picture to cut-out.
     * @param into becomes the cut-out, in the size that it has.
     * @param smooth bicubic where a picture is wanted; bilinear does for detectors.
     */
    fun cut(matrix: Affine, into: Picture, smooth: Boolean = false) {
        val level = floor(-log2(matrix.scale)).toInt().coerceIn(0, deepest())
        val edge = (1 shl level).toDouble()
        val half = (edge - 1) / 2
        step.set(edge, 0.0, half, 0.0, edge, half)
        back.setInverse(step.setProduct(matrix, step))
        if (smooth) bicubic(level(level), back, into) else bilinear(level(level), back, into)
    }

    /** The picture halved [level] times; 0 is the picture itself. */
    internal fun level(level: Int): Picture {
        while (made < level) {
            if (smaller.size == made) smaller += Picture(1, 1)
            halve(if (made == 0) picture else smaller[made - 1], smaller[made])
            made++
        }
        return if (level == 0) picture else smaller[level - 1]
    }

    /** How often the picture can be halved. */
    internal fun deepest(): Int =
        maxOf(0, log2(maxOf(picture.width, picture.height).toDouble()).toInt() - 1)
}

/** Makes [into] the means of 2 x 2 pixels of [picture]; an odd edge is repeated. */
private fun halve(picture: Picture, into: Picture) {
    val width = picture.width
    into.reshape((width + 1) / 2, (picture.height + 1) / 2)
    val from = picture.rgb
    val to = into.rgb
    var at = 0
    for (y in 0 until into.height) {
        val top = 2 * y * width
        val bottom = minOf(2 * y + 1, picture.height - 1) * width
        for (x in 0 until into.width) {
            val left = 2 * x
            val right = minOf(left + 1, width - 1)
            for (c in 0 until Picture.RGB) {
                val sum = from.level((top + left) * 3 + c) + from.level((top + right) * 3 + c) +
                    from.level((bottom + left) * 3 + c) + from.level((bottom + right) * 3 + c)
                to[at++] = ((sum + 2) shr 2).toByte()
            }
        }
    }
}

package org.mobilefsgan.core

private const val CUBIC = -0.75 // OpenCV's free parameter of the cubic kernel
private const val PHASES = 512 // a pixel is divided into that many places
private const val TAPS = 4
private val WEIGHTS = cubicWeights()

/**
 * Bilinear resampling; black where the picture ends.
 *
 * @param back result to [picture].
 * @param into becomes the result, in the size that it has.
 */
internal fun bilinear(picture: Picture, back: Affine, into: Picture) {
    val from = picture.rgb
    val to = into.rgb
    val width = picture.width
    val height = picture.height
    var at = 0
    for (y in 0 until into.height) {
        for (x in 0 until into.width) {
            val sx = back.x(x.toDouble(), y.toDouble())
            val sy = back.y(x.toDouble(), y.toDouble())
            val left = floorOf(sx)
            val top = floorOf(sy)
            if (left < -1 || top < -1 || left >= width || top >= height) {
                for (c in 0 until Picture.RGB) to[at++] = 0
                continue
            }
            val fx = (sx - left).toFloat()
            val fy = (sy - top).toFloat()
            // Weights are 0 beyond the edge, and the index is that of any pixel.
            val w0 = if (left >= 0) 1 - fx else 0f
            val w1 = if (left < width - 1) fx else 0f
            val h0 = if (top >= 0) 1 - fy else 0f
            val h1 = if (top < height - 1) fy else 0f
            val column = maxOf(left, 0)
            val next = minOf(left + 1, width - 1)
            val upper = maxOf(top, 0) * width
            val lower = minOf(top + 1, height - 1) * width
            for (c in 0 until Picture.RGB) {
                val above = w0 * from.level((upper + column) * 3 + c) +
                    w1 * from.level((upper + next) * 3 + c)
                val below = w0 * from.level((lower + column) * 3 + c) +
                    w1 * from.level((lower + next) * 3 + c)
                to[at++] = (h0 * above + h1 * below + 0.5f).toInt().toByte()
            }
        }
    }
}

/**
 * Bicubic resampling (Keys, 1981); it fades to black over a part of a pixel where the picture ends.
 *
 * @param back result to [picture].
 * @param into becomes the result, in the size that it has.
 */
internal fun bicubic(picture: Picture, back: Affine, into: Picture) {
    val to = into.rgb
    // The pipeline enlarges by 3, or by 2 to shrink, before it goes between pixels: this is how
    // wide its fade is.
    val finer = if (back.determinant <= 1) 3 else 2
    var at = 0
    for (y in 0 until into.height) {
        for (x in 0 until into.width) {
            val sx = back.x(x.toDouble(), y.toDouble())
            val sy = back.y(x.toDouble(), y.toDouble())
            val shown = inside(sx, picture.width, finer) * inside(sy, picture.height, finer)
            if (shown <= 0f) {
                for (c in 0 until Picture.RGB) to[at + c] = 0
            } else {
                cubicPixel(picture, sx, sy, shown, to, at)
            }
            at += Picture.RGB
        }
    }
}

private fun cubicPixel(
    picture: Picture,
    sx: Double,
    sy: Double,
    shown: Float,
    to: ByteArray,
    at: Int
) {
    val from = picture.rgb
    val left = floorOf(sx)
    val top = floorOf(sy)
    val across = TAPS * ((sx - left) * PHASES + 0.5).toInt()
    val down = TAPS * ((sy - top) * PHASES + 0.5).toInt()
    val w = picture.width - 1
    val h = picture.height - 1
    val x0 = (left - 1).coerceIn(0, w) * 3
    val x1 = left.coerceIn(0, w) * 3
    val x2 = (left + 1).coerceIn(0, w) * 3
    val x3 = (left + 2).coerceIn(0, w) * 3
    val a0 = WEIGHTS[across]
    val a1 = WEIGHTS[across + 1]
    val a2 = WEIGHTS[across + 2]
    val a3 = WEIGHTS[across + 3]
    var red = 0f
    var green = 0f
    var blue = 0f
    for (j in 0 until TAPS) {
        val row = (top - 1 + j).coerceIn(0, h) * picture.width * 3
        val weight = shown * WEIGHTS[down + j]
        val p0 = row + x0
        val p1 = row + x1
        val p2 = row + x2
        val p3 = row + x3
        red += weight * (
            a0 * from.level(p0) + a1 * from.level(p1) +
                a2 * from.level(p2) + a3 * from.level(p3)
            )
        green += weight * (
            a0 * from.level(p0 + 1) + a1 * from.level(p1 + 1) +
                a2 * from.level(p2 + 1) + a3 * from.level(p3 + 1)
            )
        blue += weight * (
            a0 * from.level(p0 + 2) + a1 * from.level(p1 + 2) +
                a2 * from.level(p2 + 2) + a3 * from.level(p3 + 2)
            )
    }
    to[at] = toLevel(red)
    to[at + 1] = toLevel(green)
    to[at + 2] = toLevel(blue)
}

/** How much of a sample at [place] lies in a picture of [extent] pixels: 0 to 1. */
private fun inside(place: Double, extent: Int, finer: Int): Float {
    val fine = finer * place + (finer - 1) / 2.0
    return minOf(fine + 1, finer * extent - fine, 1.0).coerceAtLeast(0.0).toFloat()
}

/** The four weights of a cubic convolution at every phase between two pixels. */
private fun cubicWeights(): FloatArray {
    val weights = FloatArray(TAPS * (PHASES + 1))
    for (phase in 0..PHASES) {
        val f = phase.toDouble() / PHASES
        val g = 1 - f
        val at = TAPS * phase
        weights[at] = (CUBIC * f * g * g).toFloat()
        weights[at + 1] = (((CUBIC + 2) * f - (CUBIC + 3)) * f * f + 1).toFloat()
        weights[at + 2] = (((CUBIC + 2) * g - (CUBIC + 3)) * g * g + 1).toFloat()
        weights[at + 3] = (CUBIC * g * f * f).toFloat()
    }
    return weights
}

/** The whole number at or below [value]; cheaper than `floor`. */
internal fun floorOf(value: Double): Int {
    val cut = value.toInt()
    return if (value < cut) cut - 1 else cut
}

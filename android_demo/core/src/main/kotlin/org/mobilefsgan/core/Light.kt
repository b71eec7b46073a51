package org.mobilefsgan.core

import kotlin.math.round
import kotlin.math.sqrt

private const val LEAST_GAIN = 0.6 // contrast is changed no further; more would amplify noise
private const val MOST_GAIN = 1.6
private const val STRAY = 1.5 // chroma may stray that many times as far as the target's own does
private const val EXACT = 1e-3

/**
 * Gives a swapped face the mean, the contrast and the tone that its target has under a mask.
 *
 * Mean and contrast are matched per channel (Reinhard et al., 2001). Then the chroma of every pixel
 * is moved towards the target's tone, until it strays from it about as much as the target's own: a
 * grey target gets a grey face.
 *
 * @param size edge of the aligned faces in pixels.
 */
class Light(private val size: Int) {
    private val mine = Moments()
    private val theirs = Moments()
    private val colours = Colours(size)
    private val tone = Tone()
    private val table = ByteArray(LEVELS)
    private val red = FloatArray(LEVELS)
    private val blue = FloatArray(LEVELS)

    /**
     * Changes [swapped] in place.
     *
     * @param aligned the target's face.
     * @param mask size x size; what lies above 0.5 is measured.
     */
    fun match(swapped: Picture, aligned: Picture, mask: FloatArray) {
        if (!mine.measure(swapped, mask, size) || !theirs.measure(aligned, mask, size)) return
        for (c in 0 until Picture.RGB) {
            val gain = (theirs.spread(c) / maxOf(mine.spread(c), 1.0))
                .coerceIn(LEAST_GAIN, MOST_GAIN)
            for (v in 0 until LEVELS) {
                val level = (v - mine.mean(c)) * gain + theirs.mean(c)
                table[v] = round(level.coerceIn(0.0, 255.0)).toInt().toByte()
            }
            stride(c, swapped.size, Picture.RGB) { i ->
                swapped.rgb[i] = table[swapped.rgb.level(i)]
            }
        }
        matchTone(swapped, aligned, mask)
    }

    private fun matchTone(swapped: Picture, aligned: Picture, mask: FloatArray) {
        colours.measure(aligned, mask)
        if (colours.count == 0) return
        tone.measure(colours)
        val wanted = STRAY * tone.strayOf(colours)
        colours.measure(swapped, mask)
        val kept = (wanted / maxOf(tone.strayOf(colours), EXACT)).toFloat()
        if (kept >= 1) return
        for (luma in 0 until LEVELS) {
            red[luma] = tone.red(luma.toFloat()).toFloat()
            blue[luma] = tone.blue(luma.toFloat()).toFloat()
        }
        val rgb = swapped.rgb
        stride(0, swapped.size, Picture.RGB) { i ->
            val luma = luma(rgb, i)
            val bin = (luma + 0.5f).toInt().coerceIn(0, LEVELS - 1)
            val cr = red[bin] + kept * (redOf(rgb, i, luma) - red[bin])
            val cb = blue[bin] + kept * (blueOf(rgb, i, luma) - blue[bin])
            rgb[i] = toLevel(luma + 1.403f * cr)
            rgb[i + 1] = toLevel(luma - 0.714f * cr - 0.344f * cb)
            rgb[i + 2] = toLevel(luma + 1.773f * cb)
        }
    }

    internal companion object {
        const val LEVELS = 256

        // Luma, red and blue difference, ITU-R BT.601 as OpenCV rounds it.
        fun luma(rgb: ByteArray, i: Int): Float =
            0.299f * rgb.level(i) + 0.587f * rgb.level(i + 1) + 0.114f * rgb.level(i + 2)

        fun redOf(rgb: ByteArray, i: Int, luma: Float): Float = 0.713f * (rgb.level(i) - luma)

        fun blueOf(rgb: ByteArray, i: Int, luma: Float): Float = 0.564f * (rgb.level(i + 2) - luma)
    }
}

/** Mean and standard deviation of each channel under a mask, over every other row. */
private class Moments {
    private val sums = LongArray(Picture.RGB)
    private val squares = LongArray(Picture.RGB)
    private var count = 0

    fun mean(channel: Int): Double = sums[channel].toDouble() / count

    fun spread(channel: Int): Double {
        val mean = mean(channel)
        return sqrt(maxOf(0.0, squares[channel].toDouble() / count - mean * mean))
    }

    /** Whether anything lies under the mask. */
    fun measure(face: Picture, mask: FloatArray, size: Int): Boolean {
        sums.fill(0)
        squares.fill(0)
        count = 0
        stride(0, size, 2) { y ->
            for (i in y * size until (y + 1) * size) {
                if (mask[i] <= 0.5f) continue
                count++
                for (c in 0 until Picture.RGB) {
                    val value = face.rgb.level(3 * i + c)
                    sums[c] += value.toLong()
                    squares[c] += (value * value).toLong()
                }
            }
        }
        return count > 0
    }
}

package org.mobilefsgan.core

import kotlin.math.sqrt

/** Luma, red and blue difference of every third row and column of a face under a mask. */
internal class Colours(private val size: Int) {
    private val most = ((size + STEP - 1) / STEP).let { it * it }

    /** How many were measured. */
    var count = 0
        private set

    /** Luma of each, 0 to 255. */
    val luma = FloatArray(most)

    /** Red difference of each, in levels. */
    val red = FloatArray(most)

    /** Blue difference of each, in levels. */
    val blue = FloatArray(most)

    /** Measures [face]; what lies above 0.5 in [mask] counts. */
    fun measure(face: Picture, mask: FloatArray) {
        count = 0
        stride(0, size, STEP) { y ->
            stride(0, size, STEP) { x ->
                val i = y * size + x
                if (mask[i] <= 0.5f) return@stride
                val level = Light.luma(face.rgb, 3 * i)
                luma[count] = level
                red[count] = Light.redOf(face.rgb, 3 * i, level)
                blue[count] = Light.blueOf(face.rgb, 3 * i, level)
                count++
            }
        }
    }

    private companion object {
        const val STEP = 3 // every third row and column is enough to measure a face's tone
    }
}

/** The chroma that each luma has on a face: none where it is grey, brown where it is sepia. */
internal class Tone {
    private val counts = IntArray(BINS)
    private val lumas = DoubleArray(BINS)
    private val reds = DoubleArray(BINS)
    private val blues = DoubleArray(BINS)
    private var filled = 0

    /** Becomes the tone of [colours], of which there is at least one. */
    fun measure(colours: Colours) {
        counts.fill(0)
        lumas.fill(0.0)
        reds.fill(0.0)
        blues.fill(0.0)
        for (i in 0 until colours.count) {
            val bin = (colours.luma[i] * BINS / 256).toInt().coerceIn(0, BINS - 1)
            counts[bin]++
            lumas[bin] += colours.luma[i].toDouble()
            reds[bin] += colours.red[i].toDouble()
            blues[bin] += colours.blue[i].toDouble()
        }
        filled = 0
        for (bin in 0 until BINS) {
            val n = counts[bin]
            if (n == 0) continue
            lumas[filled] = lumas[bin] / n
            reds[filled] = reds[bin] / n
            blues[filled] = blues[bin] / n
            filled++
        }
    }

    /** Red difference at [luma]; constant beyond the darkest and the lightest bin. */
    fun red(luma: Float): Double = at(reds, luma)

    /** Blue difference at [luma]. */
    fun blue(luma: Float): Double = at(blues, luma)

    /** Root mean square distance of the chroma of [colours] to this tone, in levels. */
    fun strayOf(colours: Colours): Double {
        var sum = 0.0
        for (i in 0 until colours.count) {
            val red = colours.red[i] - red(colours.luma[i])
            val blue = colours.blue[i] - blue(colours.luma[i])
            sum += red * red + blue * blue
        }
        return sqrt(sum / (2 * colours.count))
    }

    private fun at(values: DoubleArray, luma: Float): Double {
        if (luma <= lumas[0]) return values[0]
        for (i in 1 until filled) {
            if (luma > lumas[i]) continue
            val share = (luma - lumas[i - 1]) / (lumas[i] - lumas[i - 1])
            return values[i - 1] + share * (values[i] - values[i - 1])
        }
        return values[filled - 1]
    }

    private companion object {
        const val BINS = 32
    }
}

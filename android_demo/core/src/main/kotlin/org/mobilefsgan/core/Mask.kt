package org.mobilefsgan.core

private const val FEATHER = 0.07f // of the aligned face's edge, from its outline inwards
private const val MOUTH_FEATHER = 0.015f

/**
 * Where an aligned face is: the hull of its outline, soft on the inside.
 *
 * @param size edge of the aligned face in pixels.
 */
class Mask(private val size: Int) {
    /** Size x size, 0 to 1; 0 on and outside of the hull and at the square's border. */
    val values = FloatArray(size * size)

    private val inside = ByteArray(size * size)
    private val distances = ChamferDistance(size)
    private val polygon = Polygon(FaceMesh.OVAL.size)

    /**
     * Makes [values] the mask of a face.
     *
     * @param mesh landmarks in pixels of the aligned face.
     * @param keepMouth leave out what is between the lips.
     */
    fun of(mesh: DoubleArray, keepMouth: Boolean = false) {
        outline(mesh, FaceMesh.OVAL)
        polygon.becomeHull()
        polygon.fill(inside, size)
        for (i in 0 until size) {
            inside[i] = 0
            inside[(size - 1) * size + i] = 0
            inside[i * size] = 0
            inside[i * size + size - 1] = 0
        }
        distances.measure(inside)
        for (i in values.indices) values[i] = ramp(distances.values[i], FEATHER * size)
        if (!keepMouth) return
        outline(mesh, FaceMesh.MOUTH)
        polygon.fill(inside, size)
        for (i in inside.indices) inside[i] = (1 - inside[i]).toByte()
        distances.measure(inside)
        for (i in values.indices) values[i] *= ramp(distances.values[i], MOUTH_FEATHER * size)
    }

    /** The mask between its pixels, bilinear; 0 outside. */
    fun at(x: Double, y: Double): Float {
        val left = floorOf(x)
        val top = floorOf(y)
        if (left < -1 || top < -1 || left >= size || top >= size) return 0f
        val fx = (x - left).toFloat()
        val fy = (y - top).toFloat()
        val above = (1 - fx) * pixel(left, top) + fx * pixel(left + 1, top)
        val below = (1 - fx) * pixel(left, top + 1) + fx * pixel(left + 1, top + 1)
        return (1 - fy) * above + fy * below
    }

    private fun pixel(x: Int, y: Int): Float =
        if (x < 0 || y < 0 || x >= size || y >= size) 0f else values[y * size + x]

    private fun outline(mesh: DoubleArray, landmarks: IntArray) {
        polygon.clear()
        for (i in landmarks) polygon.add(mesh[2 * i], mesh[2 * i + 1])
    }

    /** 0 on the edge, rising smoothly over [width] pixels from there inwards to 1. */
    private fun ramp(away: Float, width: Float): Float =
        smooth((away - 1) / width) // resampling spreads a pixel: the first one stays 0
}

/** 0 up to 0, 1 from 1 on, and a smooth rise in between. */
internal fun smooth(value: Float): Float {
    val x = value.coerceIn(0f, 1f)
    return x * x * (3 - 2 * x)
}

/** Distance of every pixel of a square to the nearest 0, 5 x 5 chamfer (Borgefors, 1986). */
internal class ChamferDistance(private val size: Int) {
    /** Size x size, in pixels. */
    val values = FloatArray(size * size)

    // A frame of two pixels spares the look at the borders.
    private val wide = size + 2 * EDGE
    private val padded = FloatArray(wide * wide)

    /** Measures the distances in [inside], [size] x [size], to its zeros. */
    fun measure(inside: ByteArray) {
        padded.fill(FAR)
        for (y in 0 until size) {
            for (x in 0 until size) {
                val i = (y + EDGE) * wide + x + EDGE
                padded[i] = if (inside[y * size + x].toInt() == 0) 0f else before(i, 1)
            }
        }
        for (y in size - 1 downTo 0) {
            for (x in size - 1 downTo 0) {
                val i = (y + EDGE) * wide + x + EDGE
                if (padded[i] > 0f) padded[i] = minOf(padded[i], before(i, -1))
                values[y * size + x] = padded[i]
            }
        }
    }

    /** The least way over the neighbours that a pass in [direction] has seen already. */
    private fun before(i: Int, direction: Int): Float {
        val row = wide * direction
        val straight = minOf(padded[i - direction], padded[i - row])
        val diagonal = minOf(padded[i - row - 1], padded[i - row + 1])
        val knight = minOf(
            minOf(padded[i - 2 * row - 1], padded[i - 2 * row + 1]),
            minOf(padded[i - row - 2], padded[i - row + 2])
        )
        return minOf(straight + STRAIGHT, minOf(diagonal + DIAGONAL, knight + KNIGHT))
    }

    private companion object {
        const val EDGE = 2
        const val FAR = 1e9f
        const val STRAIGHT = 1f
        const val DIAGONAL = 1.4f
        const val KNIGHT = 2.1969f
    }
}

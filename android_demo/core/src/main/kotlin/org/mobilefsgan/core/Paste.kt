package org.mobilefsgan.core

import kotlin.math.ceil
import kotlin.math.floor

// Pixels of the picture or the aligned face, the larger ones, from the picture's edge.
private const val EDGE_PX = 4.0

/**
 * Puts swapped faces into pictures; its buffers serve all frames.
 *
 * @param size edge of the aligned faces in pixels.
 */
class Paste(private val size: Int) {
    private val mask = Mask(size)
    private val light = Light(size)
    private val pyramid = Pyramid()
    private val inFace = DoubleArray(2 * FaceMesh.COUNT)
    private val lit = Picture(size, size)
    private val face = Picture(1, 1)
    private val back = Affine()
    private var left = 0
    private var top = 0
    private var right = 0
    private var bottom = 0

    /**
     * Puts a face into a picture, in place. Pixels outside of the mask keep their values.
     *
     * @param into the picture.
     * @param swapped what the generator made of [aligned].
     * @param aligned the target's face.
     * @param matrix picture to aligned face.
     * @param mesh landmarks in the picture.
     * @param opacity 0 leaves the picture as it is, 1 shows the swapped face alone.
     * @param keepMouth leave what is between the lips as it is.
     */
    fun pasteBack(
        into: Picture,
        swapped: Picture,
        aligned: Picture,
        matrix: Affine,
        mesh: DoubleArray,
        opacity: Float = 1f,
        keepMouth: Boolean = false
    ) {
        Points.map(mesh, matrix, inFace)
        mask.of(inFace, keepMouth)
        fadeAtEdge(mesh, matrix, into)
        lit.set(swapped)
        light.match(lit, aligned, mask.values)
        if (!region(matrix, into)) return
        back.values[2] -= left.toDouble()
        back.values[5] -= top.toDouble()
        face.reshape(right - left, bottom - top)
        pyramid.show(lit).cut(back, face, smooth = true)
        blend(into, matrix, opacity)
    }

    private fun blend(into: Picture, matrix: Affine, opacity: Float) {
        val to = into.rgb
        for (y in top until bottom) {
            for (x in left until right) {
                val inX = matrix.x(x.toDouble(), y.toDouble())
                val inY = matrix.y(x.toDouble(), y.toDouble())
                val weight = minOf(mask.at(inX, inY) * opacity, 1f)
                if (weight <= 0f) continue
                val at = (y * into.width + x) * 3
                val from = ((y - top) * face.width + x - left) * 3
                for (c in 0 until Picture.RGB) {
                    val under = to.level(at + c)
                    to[at + c] = toLevel(under + weight * (face.rgb.level(from + c) - under))
                }
            }
        }
    }

    /**
     * Lets the mask fall to 0 at the picture's edge. Beyond the edge the aligned face is black. The
     * generator, and resampling both ways, mix that into the pixels beside it; and there is no light
     * to measure.
     */
    private fun fadeAtEdge(mesh: DoubleArray, matrix: Affine, picture: Picture) {
        val reach = EDGE_PX * maxOf(1.0, 1 / matrix.scale) // in the picture
        var least = Double.POSITIVE_INFINITY
        stride(0, mesh.size, 2) { i -> least = minOf(least, room(picture, mesh[i], mesh[i + 1])) }
        if (least >= reach) return
        back.setInverse(matrix)
        for (i in mask.values.indices) {
            if (mask.values[i] <= 0f) continue
            val x = (i % size).toDouble()
            val y = (i / size).toDouble()
            mask.values[i] *= smooth((room(picture, back.x(x, y), back.y(x, y)) / reach).toFloat())
        }
    }

    /** How far a place lies from the edge of a picture, in its pixels; below 0 outside. */
    private fun room(picture: Picture, x: Double, y: Double): Double =
        minOf(minOf(x, y), minOf(picture.width - 1 - x, picture.height - 1 - y))

    /** Finds what the mask covers in the picture; false where nothing. */
    private fun region(matrix: Affine, picture: Picture): Boolean {
        var x0 = size
        var y0 = size
        var x1 = -1
        var y1 = -1
        for (y in 0 until size) {
            for (x in 0 until size) {
                if (mask.values[y * size + x] <= 0f) continue
                x0 = minOf(x0, x)
                x1 = maxOf(x1, x)
                y0 = minOf(y0, y)
                y1 = y
            }
        }
        if (x1 < 0) return false
        back.setInverse(matrix)
        var lowX = Double.POSITIVE_INFINITY
        var lowY = lowX
        var highX = -lowX
        var highY = -lowX
        for (corner in 0 until 4) {
            val x = (if (corner and 1 == 0) x0 - 1 else x1 + 1).toDouble()
            val y = (if (corner and 2 == 0) y0 - 1 else y1 + 1).toDouble()
            lowX = minOf(lowX, back.x(x, y))
            highX = maxOf(highX, back.x(x, y))
            lowY = minOf(lowY, back.y(x, y))
            highY = maxOf(highY, back.y(x, y))
        }
        left = maxOf(0, floor(lowX).toInt())
        top = maxOf(0, floor(lowY).toInt())
        right = minOf(picture.width, ceil(highX).toInt() + 1)
        bottom = minOf(picture.height, ceil(highY).toInt() + 1)
        return left < right && top < bottom
    }
}

package org.mobilefsgan.core

import kotlin.math.PI
import kotlin.math.atan2

/**
 * A face as the detector sees it, in pixels of the whole picture.
 *
 * @property score 0 to 1.
 * @property x of the middle of its box, which reaches from the eyebrows to the chin.
 * @property side edge of the box.
 * @property leftX of the eye that is left in the upright face, as seen.
 * @property tiltDeg how far the eyes are from level in the view, -180 to 180.
 */
class Candidate(
    val score: Double,
    val x: Double,
    val y: Double,
    val side: Double,
    val leftX: Double,
    val leftY: Double,
    val rightX: Double,
    val rightY: Double,
    val tiltDeg: Double
)

/**
 * Reads the raw outputs of BlazeFace (arXiv:1907.05047).
 *
 * @param size edge of the view in pixels: 128 for short range, 192 for full range.
 */
class BlazeFace(val size: Int) {
    private val centres = anchors(size)

    /** How many boxes the model gives. */
    val anchorCount: Int get() = centres.size / 2

    /**
     * Faces in the raw outputs, best first; none overlaps a better one much.
     *
     * @param boxes 16 numbers an anchor, in pixels of the view.
     * @param logits one an anchor.
     * @param back view to picture.
     */
    fun decode(boxes: FloatArray, logits: FloatArray, back: Affine): List<Candidate> {
        var kept: ArrayList<Box>? = null
        for (i in 0 until anchorCount) {
            if (logits[i] < 0) continue // a score below 0.5
            val found = kept ?: ArrayList<Box>().also { kept = it }
            found += Box(i, FaceMesh.probability(logits[i]), boxes)
        }
        val sorted = kept?.sortedByDescending { it.score } ?: return emptyList()
        val best = ArrayList<Box>()
        for (box in sorted) if (best.none { it.overlap(box) > SAME_FACE }) best += box
        return best.map { it.candidate(back) }
    }

    /** An anchor's numbers: centre, width and height, then six keypoints, the eyes first. */
    private inner class Box(anchor: Int, val score: Double, boxes: FloatArray) {
        private val first = anchor * NUMBERS

        // Corners of pixels are at the integers in the view, centres in the picture.
        private val anchorX = centres[2 * anchor] - 0.5
        private val anchorY = centres[2 * anchor + 1] - 0.5
        private val x = boxes[first] + anchorX
        private val y = boxes[first + 1] + anchorY
        private val width = boxes[first + 2].toDouble()
        private val height = boxes[first + 3].toDouble()
        private val leftX = boxes[first + 4] + anchorX
        private val leftY = boxes[first + 5] + anchorY
        private val rightX = boxes[first + 6] + anchorX
        private val rightY = boxes[first + 7] + anchorY

        /** Overlap with [other], as a part of their union. */
        fun overlap(other: Box): Double {
            val across = minOf(x + width / 2, other.x + other.width / 2) -
                maxOf(x - width / 2, other.x - other.width / 2)
            val down = minOf(y + height / 2, other.y + other.height / 2) -
                maxOf(y - height / 2, other.y - other.height / 2)
            val both = maxOf(0.0, across) * maxOf(0.0, down)
            return both / (width * height + other.width * other.height - both)
        }

        fun candidate(back: Affine) = Candidate(
            score,
            back.x(x, y),
            back.y(x, y),
            maxOf(width, height) * back.scale,
            back.x(leftX, leftY),
            back.y(leftX, leftY),
            back.x(rightX, rightY),
            back.y(rightX, rightY),
            atan2(rightY - leftY, rightX - leftX) * 180 / PI
        )
    }

    private companion object {
        const val NUMBERS = 16 // of an anchor
        const val SAME_FACE = 0.3 // overlap of two boxes, as a part of their union
        const val SHORT_RANGE = 128

        /**
         * Centres that boxes are told from, x and y in turn: the grids of the published SSD
         * layouts. Short range: a grid of stride 8 with two boxes a cell, then one of stride 16
         * with six. Full range: one of stride 4 with one.
         */
        fun anchors(size: Int): DoubleArray {
            val grids = if (size == SHORT_RANGE) listOf(8 to 2, 16 to 6) else listOf(4 to 1)
            return grids.flatMap { (stride, boxes) ->
                val cells = size / stride
                (0 until cells * cells).flatMap { cell ->
                    val x = (cell % cells + 0.5) * stride
                    val y = (cell / cells + 0.5) * stride
                    List(boxes) { listOf(x, y) }.flatten()
                }
            }.toDoubleArray()
        }
    }
}

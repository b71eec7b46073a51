package org.mobilefsgan.core

import kotlin.math.hypot

/**
 * A face in a picture.
 *
 * @property mesh landmarks, x and y in turn, in pixels, pixel centres at the integers.
 * @property score 0 to 1, how sure the mesh is that it lies on a face.
 */
class Face(val mesh: DoubleArray = DoubleArray(2 * FaceMesh.COUNT), var score: Double = 0.0) {
    /** Longer edge of the box around the landmarks, in pixels. */
    val side: Double get() = Points.side(mesh)

    /**
     * 1 for a face that looks about at the camera, 0 for one that is seen from the side. Between
     * some 45 and 60 degrees it falls smoothly: a swap fades out instead of smearing.
     */
    val frontal: Double
        get() {
            val x = ((GONE - FaceMesh.turnedAside(mesh)) / (GONE - FADES)).coerceIn(0.0, 1.0)
            return x * x * (3 - 2 * x)
        }

    /** Whether [other] is a finding of the same face. */
    fun isSame(other: Face): Boolean {
        val x = Points.centreX(mesh) - Points.centreX(other.mesh)
        val y = Points.centreY(mesh) - Points.centreY(other.mesh)
        return hypot(x, y) < maxOf(side, other.side) / 2
    }

    /** Whether a candidate's middle lies near the middle of this face. */
    fun holds(candidate: Candidate): Boolean {
        val x = candidate.x - Points.centreX(mesh)
        val y = candidate.y - Points.centreY(mesh)
        return hypot(x, y) < side / 4
    }

    /** Whether the mesh is sure, its middle lies in [picture] and its size is sane. */
    fun isPlausible(picture: Picture): Boolean {
        val x = Points.centreX(mesh)
        val y = Points.centreY(mesh)
        // Comparisons with NaN are false.
        return score >= MIN_SCORE && x > 0 && y > 0 && x < picture.width && y < picture.height &&
            Points.shortSide(mesh) > LEAST_PX && side < 3 * maxOf(picture.width, picture.height)
    }

    /** Becomes a copy of [other]. */
    fun set(other: Face) {
        other.mesh.copyInto(mesh)
        score = other.score
    }

    private companion object {
        const val MIN_SCORE = 0.5
        const val LEAST_PX = 4
        const val FADES = 0.8 // see FaceMesh.turnedAside
        const val GONE = 1.2
    }
}

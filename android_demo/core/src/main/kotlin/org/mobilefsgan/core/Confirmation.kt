package org.mobilefsgan.core

import kotlin.math.abs
import kotlin.math.hypot

/**
 * Confirms what a detector proposes by the face mesh.
 *
 * @param near looks again at what is not seen upright.
 * @param mesh fits the landmarks.
 */
internal class Confirmation(private val near: FaceFinder, private val mesh: MeshFitter) {
    private val crop = Affine()
    private val aside = Affine()
    private val five = DoubleArray(10)
    private val before = DoubleArray(10)

    /**
     * Fits the mesh, cuts the face out by what it says, and fits again; then averages.
     *
     * The landmarks depend on the crop by some percent of the eye distance. The mean over crops at
     * three angles is stable.
     */
    fun settle(pyramid: Pyramid, candidate: Candidate): Face? {
        val looked = secondLook(pyramid, candidate) ?: return null
        val face = Face()
        Crop.of(looked, crop)
        for (pass in 0 until PASSES) {
            mesh.fit(pyramid, crop, face)
            if (!face.isPlausible(pyramid.picture)) return null
            five.copyInto(before)
            Crop.ofMesh(face.mesh, FaceMesh.fivePoints(face.mesh, five), crop)
            if (pass > 0 && moved() < STILL) break
        }
        average(pyramid, face)
        return face
    }

    private fun average(pyramid: Pyramid, face: Face) {
        val other = Face()
        val sum = face.mesh.copyOf()
        for (angle in AROUND_DEG) {
            mesh.fit(pyramid, Crop.turned(crop, angle, 1.0, aside), other)
            for (i in sum.indices) sum[i] += other.mesh[i]
        }
        for (i in sum.indices) face.mesh[i] = sum[i] / (1 + AROUND_DEG.size)
    }

    /**
     * The candidate as seen upright, or null if it then is no face.
     *
     * Both models sometimes take a face that is upside down for an upright one, and the mesh is
     * wrong then. So the view upside down is looked at as well.
     */
    private fun secondLook(pyramid: Pyramid, first: Candidate): Candidate? {
        var candidate = first
        repeat(LOOKS) {
            if (abs(candidate.tiltDeg) < LEVEL_DEG && candidate.score >= SURE) return candidate
            Crop.of(candidate, crop)
            val seen = UP_AND_DOWN_DEG.flatMap { angle ->
                near.find(pyramid, Crop.turned(crop, angle, WIDER, aside))
            }.filter {
                hypot(it.x - candidate.x, it.y - candidate.y) < candidate.side / 3
            }
            candidate = seen.maxByOrNull { it.score } ?: return null
        }
        return candidate.takeIf { abs(it.tiltDeg) < LEVEL_DEG }
    }

    /** How far one of the five points is from where it was, in eye distances. */
    private fun moved(): Double {
        var most = 0.0
        stride(0, 10, 2) { i ->
            most = maxOf(most, hypot(five[i] - before[i], five[i + 1] - before[i + 1]))
        }
        return most / maxOf(Points.distance(five, 0, 1), 1e-9)
    }

    private companion object {
        const val PASSES = 6 // at most; two do unless the detector is wrong by 20 degrees
        const val STILL = 0.06 // of the eye distance
        val AROUND_DEG = doubleArrayOf(-9.0, 9.0)
        val UP_AND_DOWN_DEG = listOf(0.0, 180.0)
        const val LOOKS = 3
        const val LEVEL_DEG = 15.0
        const val SURE = 0.8 // faces upside down stay below, upright faces seldom do
        const val WIDER = 0.75 // the detector wants more around the face than the mesh
    }
}

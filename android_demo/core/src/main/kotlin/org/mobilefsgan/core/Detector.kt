package org.mobilefsgan.core

import kotlin.math.abs
import kotlin.math.hypot

/** Finds and follows faces. */
interface FaceTracker {
    /** The upright faces of a picture that are not small, largest first; [known] ones are kept. */
    fun glance(pyramid: Pyramid, known: List<Face> = emptyList()): List<Face>

    /**
     * The faces of a picture, largest first.
     *
     * @param thorough look for turned and small faces even when a plain look finds some.
     * @param known faces that need not be found again; they come back as they are.
     * @param leastPx the smallest faces that are looked for, from ear to ear.
     */
    fun find(
        pyramid: Pyramid,
        thorough: Boolean = false,
        known: List<Face> = emptyList(),
        leastPx: Double = Detector.LEAST_PX
    ): List<Face>

    /** Makes [into] the same face in the next frame; false where it is lost. */
    fun track(pyramid: Pyramid, face: Face, into: Face): Boolean
}

/**
 * Finds faces of any size and angle: BlazeFace proposes candidates, the face mesh confirms them.
 *
 * @param near short range detector (128 px, selfies).
 * @param far full range detector (192 px, small faces).
 * @param mesh landmark model.
 */
class Detector(near: SwapModel, far: SwapModel, mesh: SwapModel) :
    FaceTracker,
    AutoCloseable {
    private val near = FaceFinder(near)
    private val far = FaceFinder(far)
    private val mesh = MeshFitter(mesh)
    private val crop = Affine()
    private val aside = Affine()
    private val five = DoubleArray(10)
    private val before = DoubleArray(10)

    override fun glance(pyramid: Pyramid, known: List<Face>): List<Face> {
        val view = listOf(Views.whole(pyramid.picture, 0.0))
        val faces = keep(known, near, pyramid, view)
        return largestFirst(faces.ifEmpty { keep(known, far, pyramid, view) })
    }

    override fun find(
        pyramid: Pyramid,
        thorough: Boolean,
        known: List<Face>,
        leastPx: Double
    ): List<Face> {
        if (!thorough) glance(pyramid, known).let { if (it.isNotEmpty()) return it }
        val upright = listOf(Views.whole(pyramid.picture, 0.0))
        val turned = TURNS_DEG.map { Views.whole(pyramid.picture, it) }
        // Upright views first: where two views see one face, the first finding stays.
        var faces = keep(known, near, pyramid, upright)
        for (views in sequenceOf(upright, turned) + Views.tiles(pyramid.picture, leastPx)) {
            faces = keep(faces, far, pyramid, views)
            if (faces.isNotEmpty() && !thorough) break
        }
        return largestFirst(faces)
    }

    override fun track(pyramid: Pyramid, face: Face, into: Face): Boolean {
        FaceMesh.cropOfMesh(face.mesh, FaceMesh.fivePoints(face.mesh, five), crop)
        mesh.fit(pyramid, crop, into)
        return isFace(into, pyramid.picture)
    }

    override fun close() {
        near.close()
        far.close()
        mesh.close()
    }

    /** [faces], and what [finder] newly finds in the [views]. */
    private fun keep(
        faces: List<Face>,
        finder: FaceFinder,
        pyramid: Pyramid,
        views: List<Affine>
    ): List<Face> {
        val kept = faces.toMutableList()
        for (view in views) {
            for (candidate in finder.find(pyramid, view)) {
                if (kept.any { it.holds(candidate) }) continue
                val face = settle(pyramid, candidate) ?: continue
                if (kept.none { it.isSame(face) }) kept += face
            }
        }
        return kept
    }

    /**
     * Fits the mesh, cuts the face out by what it says, and fits again; then averages.
     *
     * The landmarks depend on the crop by some percent of the eye distance. The mean over crops at
     * three angles is stable.
     */
    private fun settle(pyramid: Pyramid, candidate: Candidate): Face? {
        val looked = secondLook(pyramid, candidate) ?: return null
        val face = Face()
        FaceMesh.cropOf(looked, crop)
        for (pass in 0 until PASSES) {
            mesh.fit(pyramid, crop, face)
            if (!isFace(face, pyramid.picture)) return null
            five.copyInto(before)
            FaceMesh.cropOfMesh(face.mesh, FaceMesh.fivePoints(face.mesh, five), crop)
            if (pass > 0 && moved() < STILL) break
        }
        average(pyramid, face)
        return face
    }

    private fun average(pyramid: Pyramid, face: Face) {
        val other = Face()
        val sum = face.mesh.copyOf()
        for (angle in AROUND_DEG) {
            mesh.fit(pyramid, FaceMesh.turned(crop, angle, 1.0, aside), other)
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
            FaceMesh.cropOf(candidate, crop)
            val seen = UP_AND_DOWN_DEG.flatMap { angle ->
                near.find(pyramid, FaceMesh.turned(crop, angle, WIDER, aside))
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

    /** Whether the mesh is sure, its middle lies in the picture and its size is sane. */
    private fun isFace(face: Face, picture: Picture): Boolean {
        val x = Points.centreX(face.mesh)
        val y = Points.centreY(face.mesh)
        // Comparisons with NaN are false.
        return face.score >= MIN_SCORE && x > 0 && y > 0 && x < picture.width &&
            y < picture.height && Points.shortSide(face.mesh) > 4 &&
            face.side < 3 * maxOf(picture.width, picture.height)
    }

    private fun largestFirst(faces: List<Face>) = faces.sortedByDescending { it.side }

    companion object {
        /** Smaller faces, in pixels from ear to ear, are seldom found. */
        const val LEAST_PX = 20.0

        private const val MIN_SCORE = 0.5
        private const val PASSES = 6 // at most; two do unless the detector is wrong by 20 degrees
        private const val STILL = 0.06 // of the eye distance
        private val AROUND_DEG = doubleArrayOf(-9.0, 9.0)
        private val UP_AND_DOWN_DEG = listOf(0.0, 180.0)
        private const val LOOKS = 3
        private const val LEVEL_DEG = 15.0
        private const val SURE = 0.8 // faces upside down stay below, upright faces seldom do
        private const val WIDER = 0.75 // the detector wants more around the face than the mesh
        private val TURNS_DEG = listOf(90.0, 180.0, 270.0, 45.0, 135.0, 225.0, 315.0)
    }
}

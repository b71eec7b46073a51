package org.mobilefsgan.core

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
    private val confirmation = Confirmation(this.near, this.mesh)
    private val crop = Affine()
    private val five = DoubleArray(10)

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
        Crop.ofMesh(face.mesh, FaceMesh.fivePoints(face.mesh, five), crop)
        mesh.fit(pyramid, crop, into)
        return into.isPlausible(pyramid.picture)
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
                val face = confirmation.settle(pyramid, candidate) ?: continue
                if (kept.none { it.isSame(face) }) kept += face
            }
        }
        return kept
    }

    private fun largestFirst(faces: List<Face>) = faces.sortedByDescending { it.side }

    companion object {
        /** Smaller faces, in pixels from ear to ear, are seldom found. */
        const val LEAST_PX = 20.0

        private val TURNS_DEG = listOf(90.0, 180.0, 270.0, 45.0, 135.0, 225.0, 315.0)
    }
}

package org.mobilefsgan.core

/**
 * Milliseconds that the stages of the last frame took.
 *
 * @property detect find or follow the faces.
 * @property align cut them out.
 * @property generate the runtime's own call, with its copies.
 * @property blend put them back.
 */
class StageTimes {
    var detect = 0.0
        internal set
    var align = 0.0
        internal set
    var generate = 0.0
        internal set
    var blend = 0.0
        internal set

    /** All stages. */
    val total: Double get() = detect + align + generate + blend

    internal fun clear() {
        detect = 0.0
        align = 0.0
        generate = 0.0
        blend = 0.0
    }
}

/** A picture shows no face that can be swapped. The message is for the user. */
class NoFaceException(message: String) : Exception(message)

/**
 * Swaps faces: finds, aligns, generates, puts back. One thread uses it; its buffers serve all
 * frames, so that a frame in which faces are followed allocates nothing.
 *
 * @param detector finds faces.
 * @param generator paints a face; this object closes it, and the detector is the caller's.
 * @param align where the models expect a face.
 */
class FaceSwapper(
    private val detector: FaceTracker,
    private val generator: Generator,
    private val align: Align
) : AutoCloseable {
    private val tracker = Tracker(detector)
    private val pyramid = Pyramid()
    private val template = align.points(generator.edge)
    private val aligned = Picture(generator.edge, generator.edge)
    private val swapped = Picture(generator.edge, generator.edge)
    private val paste = Paste(generator.edge)
    private val matrix = Affine()
    private val five = DoubleArray(10)
    private var before = Picture(1, 1)

    /** Leave what is between the lips as it is in the target. */
    var keepMouth = false

    /** Times of the last frame or photo. */
    val times = StageTimes()

    /**
     * Swaps the faces of the next frame of a camera or film, in place.
     *
     * @param seconds when the frame was taken.
     * @param all every face; else the one that was the largest when it was found.
     * @return how many faces were swapped.
     */
    fun swapFrame(
        frame: Picture,
        identity: FloatArray,
        seconds: Double,
        all: Boolean = false
    ): Int {
        times.clear()
        var clock = System.nanoTime()
        pyramid.show(frame)
        val tracks = tracker.step(pyramid, seconds)
        clock = lap(clock) { times.detect = it }
        // Every face is cut out of the frame as it came: faces that touch do not see each other's.
        if (all && tracks.size > 1) pyramid.show(before.set(frame))
        var count = 0
        for (i in 0 until if (all) tracks.size else minOf(1, tracks.size)) {
            if (put(frame, tracks[i].shown, identity)) count++
        }
        return count
    }

    /**
     * Swaps the faces of a photo, in place.
     *
     * @return how many faces were swapped.
     * @throws NoFaceException there is no face, or only such as are seen from the side.
     */
    fun swapPhoto(photo: Picture, identity: FloatArray, all: Boolean = false): Int {
        times.clear()
        val clock = System.nanoTime()
        val original = photo.copy()
        val found = detector.find(pyramid.show(original), thorough = all)
        lap(clock) { times.detect = it }
        if (found.isEmpty()) throw NoFaceException("No face found in the photo.")
        val count = found.take(if (all) found.size else 1).count { put(photo, it, identity) }
        if (count == 0) {
            throw NoFaceException("The face is seen from the side, where a swap would smear it.")
        }
        return count
    }

    /**
     * The identity of the largest face of a photo, unit L2 norm.
     *
     * @throws NoFaceException there is none.
     */
    fun identity(source: Picture, encoder: IdentityEncoder): FloatArray {
        val first = detector.find(pyramid.show(source)).firstOrNull()
            ?: throw NoFaceException("No face found in the source; choose a photo of one person.")
        // A plain look ends with the first face; others may be larger.
        val least = maxOf(Detector.LEAST_PX, first.side / 2)
        val face = detector.find(pyramid, thorough = true, listOf(first), least).first()
        val cut = Picture(encoder.edge, encoder.edge)
        cut(face, align.points(encoder.edge), cut)
        return encoder.embed(cut)
    }

    /** The next frame begins a new scene: another camera, or the app was away. */
    fun reset() = tracker.reset()

    override fun close() = generator.close()

    private fun put(into: Picture, face: Face, identity: FloatArray): Boolean {
        val frontal = face.frontal
        if (frontal <= 0) return false
        var clock = System.nanoTime()
        cut(face, template, aligned)
        clock = lap(clock) { times.align += it }
        generator.generate(aligned, identity, swapped)
        clock = lap(clock) { times.generate += it }
        paste.pasteBack(into, swapped, aligned, matrix, face.mesh, frontal.toFloat(), keepMouth)
        lap(clock) { times.blend += it }
        return true
    }

    private fun cut(face: Face, template: DoubleArray, into: Picture) {
        fitSimilarity(FaceMesh.fivePoints(face.mesh, five), template, matrix)
        pyramid.cut(matrix, into, smooth = true)
    }

    private inline fun lap(since: Long, took: (Double) -> Unit): Long {
        val now = System.nanoTime()
        took((now - since) / 1e6)
        return now
    }
}

package org.mobilefsgan.core

/**
 * A face that is followed.
 *
 * @property number 0 was the largest when the scene began.
 * @property shown the landmarks to show, smoothed.
 */
class Track internal constructor(val number: Int, found: Face) {
    internal var seen = found
    internal var spare = Face()
    internal var missed = 0
    internal var seenSeconds = 0.0
    internal val filter = OneEuro(found.mesh)
    val shown = Face(filter.smooth, found.score)
}

/**
 * Tracks faces through frames: it detects every few frames, follows the mesh between, and smooths.
 * A face that is lost stays where it was for five frames, and half a second at most, so that a swap
 * does not flicker.
 */
class Tracker(private val detector: FaceTracker) {
    private val mutable = ArrayList<Track>()
    private val scene = SceneCut()
    private val known = ArrayList<Face>()
    private var sinceLook = 0
    private var seconds = 0.0

    /** The faces of the last frame, by their numbers. */
    val tracks: List<Track> get() = mutable

    /**
     * Goes on to the next frame.
     *
     * @param pyramid shows the frame.
     * @param seconds when it was taken; the distance to the last one sets the smoothing.
     */
    fun step(pyramid: Pyramid, seconds: Double): List<Track> {
        this.seconds = seconds
        val begins = scene.begins(pyramid)
        if (begins) mutable.clear()
        var missing = false
        for (i in mutable.size - 1 downTo 0) {
            if (!follow(pyramid, mutable[i])) missing = true
        }
        dropTwins()
        sinceLook++
        if (begins || missing || sinceLook >= DETECT_EVERY) look(pyramid, begins)
        for (i in mutable.size - 1 downTo 0) if (!mutable[i].stays()) mutable.removeAt(i)
        return mutable
    }

    /** Forgets all faces. */
    fun reset() {
        mutable.clear()
        scene.reset()
    }

    private fun Track.stays() =
        missed == 0 || (missed <= HELD_FRAMES && seconds - seenSeconds <= HELD_SECONDS)

    private fun follow(pyramid: Pyramid, track: Track): Boolean {
        if (!detector.track(pyramid, track.seen, track.spare)) {
            track.missed++
            return false
        }
        val seen = track.spare
        track.spare = track.seen
        track.seen = seen
        smooth(track)
        return true
    }

    /** Moves what is shown of [track] towards what was seen of it in this frame. */
    private fun smooth(track: Track) {
        track.filter.step(track.seen.mesh, seconds - track.seenSeconds)
        track.shown.score = track.seen.score
        track.missed = 0
        track.seenSeconds = seconds
    }

    /** Two tracks on one face: the younger one has lost its own. */
    private fun dropTwins() {
        for (i in mutable.size - 1 downTo 1) {
            if (mutable[i].missed > 0) continue
            for (j in 0 until i) {
                if (mutable[i].seen.isSame(mutable[j].seen)) {
                    mutable.removeAt(i)
                    break
                }
            }
        }
    }

    private fun look(pyramid: Pyramid, deep: Boolean) {
        sinceLook = 0
        known.clear()
        for (track in mutable) if (track.missed == 0) known += track.seen
        val least = maxOf(pyramid.picture.width, pyramid.picture.height) * LEAST
        val found = if (deep) {
            detector.find(pyramid, known = known, leastPx = maxOf(Detector.LEAST_PX, least))
        } else {
            detector.glance(pyramid, known)
        }
        for (face in found) if (known.none { it.isSame(face) }) take(face)
        mutable.sortBy { it.number }
    }

    /** Gives a face that was found to the lost track it belongs to, or to a new one. */
    private fun take(face: Face) {
        val lost = mutable.find { it.seen.isSame(face) }
        if (lost != null) {
            lost.seen.set(face)
            smooth(lost)
        } else {
            val number = generateSequence(0) {
                it + 1
            }.first { n -> mutable.none { it.number == n } }
            mutable += Track(number, face).also { it.seenSeconds = seconds }
        }
    }

    private companion object {
        const val DETECT_EVERY = 10 // frames; a new face may stay undetected for that long
        const val HELD_FRAMES = 5 // a lost face stays where it was for that long
        const val HELD_SECONDS = 0.5
        const val LEAST = 1.0 / 64 // of a frame's longer edge
    }
}

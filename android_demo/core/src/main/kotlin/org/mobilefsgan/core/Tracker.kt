package org.mobilefsgan.core

import kotlin.math.abs

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
    internal val filter = OneEuro(found.mesh)
    val shown = Face(filter.smooth, found.score)
}

/**
 * Tracks faces through frames: it detects every few frames, follows the mesh between, and smooths.
 * A face that is lost stays where it was for some frames, so that a swap does not flicker.
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
        val elapsed = seconds - this.seconds
        this.seconds = seconds
        val begins = scene.begins(pyramid)
        if (begins) mutable.clear()
        var missing = false
        for (i in mutable.size - 1 downTo 0) {
            if (!follow(pyramid, mutable[i], elapsed)) missing = true
        }
        dropTwins()
        sinceLook++
        if (begins || missing || sinceLook >= DETECT_EVERY) look(pyramid, begins)
        for (i in mutable.size - 1 downTo 0) if (mutable[i].missed > HELD) mutable.removeAt(i)
        return mutable
    }

    /** Forgets all faces. */
    fun reset() {
        mutable.clear()
        scene.reset()
    }

    private fun follow(pyramid: Pyramid, track: Track, elapsed: Double): Boolean {
        if (!detector.track(pyramid, track.seen, track.spare)) {
            track.missed++
            return false
        }
        track.missed = 0
        val seen = track.spare
        track.spare = track.seen
        track.seen = seen
        track.filter.step(seen.mesh, elapsed)
        track.shown.score = seen.score
        return true
    }

    /** Two tracks on one face: the younger one has lost its own. */
    private fun dropTwins() {
        for (i in mutable.size - 1 downTo 1) {
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
            lost.filter.restart(face.mesh)
            lost.missed = 0
        } else {
            val number = generateSequence(0) {
                it + 1
            }.first { n -> mutable.none { it.number == n } }
            mutable += Track(number, face)
        }
    }

    private companion object {
        const val DETECT_EVERY = 10 // frames; a new face may stay undetected for that long
        const val HELD = 3 // frames for which a lost face stays where it was
        const val LEAST = 1.0 / 64 // of a frame's longer edge
    }
}

/** Tells where a film cuts to another scene, from coarse grey pictures. */
internal class SceneCut {
    private var now = FloatArray(WIDTH * HEIGHT)
    private var last = FloatArray(WIDTH * HEIGHT)
    private var known = false

    /** Whether the picture is the first of a scene. */
    fun begins(pyramid: Pyramid): Boolean {
        val swap = last
        last = now
        now = swap
        coarse(pyramid)
        val first = !known
        known = true
        return first || change() > CUT
    }

    /** The next picture is the first. */
    fun reset() {
        known = false
    }

    private fun change(): Float {
        // A lamp that is switched on shifts all levels, and is no cut.
        val shift = (now.sum() - last.sum()) / now.size
        var sum = 0f
        for (i in now.indices) sum += abs(now[i] - last[i] - shift)
        return sum / now.size
    }

    /** Makes `now` the mean grey of each cell. */
    private fun coarse(pyramid: Pyramid) {
        var level = 0
        while (level < pyramid.deepest() && pyramid.picture.width shr (level + 1) >= 2 * WIDTH &&
            pyramid.picture.height shr (level + 1) >= 2 * HEIGHT
        ) {
            level++
        }
        val picture = pyramid.level(level)
        for (row in 0 until HEIGHT) {
            val top = row * picture.height / HEIGHT
            val bottom = maxOf(top + 1, (row + 1) * picture.height / HEIGHT)
            for (column in 0 until WIDTH) {
                val left = column * picture.width / WIDTH
                val right = maxOf(left + 1, (column + 1) * picture.width / WIDTH)
                var sum = 0f
                for (y in top until bottom) {
                    for (x in left until right) {
                        sum += Light.luma(picture.rgb, (y * picture.width + x) * 3)
                    }
                }
                now[row * WIDTH + column] = sum / ((bottom - top) * (right - left))
            }
        }
    }

    private companion object {
        const val WIDTH = 32
        const val HEIGHT = 18
        const val CUT = 24f // levels of mean change that no motion makes
    }
}

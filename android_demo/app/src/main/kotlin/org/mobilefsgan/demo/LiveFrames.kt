package org.mobilefsgan.demo

import android.graphics.Bitmap
import android.os.SystemClock
import org.mobilefsgan.core.Picture

/** Hands frames from the camera's thread to the worker: one at a time, the newest that fits. */
class LiveFrames {
    private val frame = Picture(1, 1)
    private var taken = true
    private val bitmaps = arrayOfNulls<Bitmap>(KEPT)
    private var next = 0
    private val ends = ArrayDeque<Long>()

    /** False where the worker still has a frame: this one is dropped. */
    @Synchronized
    fun offer(newest: Picture): Boolean {
        if (!taken) return false
        frame.set(newest)
        taken = false
        return true
    }

    /** Gives the frame to [use], which may change it. */
    fun take(use: (Picture) -> Unit) {
        try {
            use(frame)
        } finally {
            synchronized(this) { taken = true }
        }
    }

    /** A bitmap of [picture] that stays as it is while the next frames are made. */
    fun bitmapOf(picture: Picture): Bitmap {
        next = (next + 1) % KEPT
        val old = bitmaps[next]
        val fits = old != null && old.width == picture.width && old.height == picture.height
        return (if (fits) picture.into(old) else picture.toBitmap()).also { bitmaps[next] = it }
    }

    /** Over the last frames; called once a frame. */
    fun framesPerSecond(nowMs: Long = SystemClock.elapsedRealtime()): Double {
        ends.addLast(nowMs)
        if (ends.size > WINDOW) ends.removeFirst()
        val lasted = nowMs - ends.first()
        return if (lasted > 0) 1000.0 * (ends.size - 1) / lasted else 0.0
    }

    private companion object {
        const val KEPT = 6 // before and after, of the frame drawn, the one waiting and the one made
        const val WINDOW = 16
    }
}

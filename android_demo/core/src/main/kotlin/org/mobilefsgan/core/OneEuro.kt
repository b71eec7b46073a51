package org.mobilefsgan.core

import kotlin.math.PI
import kotlin.math.hypot

// Still points are smoothed much, moving ones hardly. Speed is in sizes of the face per second.
private const val STILL_HZ = 1.5
private const val HZ_PER_SPEED = 30.0
private const val SPEED_HZ = 1.0
private const val USUAL_SECONDS = 1.0 / 25 // where a clock stands still or jumps

/**
 * The landmarks of one face through the frames, held still where the face rests: One Euro filter
 * (Casiez, Roussel, Vogel, CHI 2012).
 *
 * @param mesh as first seen, x and y in turn; copied.
 */
class OneEuro(mesh: DoubleArray) {
    /** The landmarks as they are to be shown. */
    val smooth: DoubleArray = mesh.copyOf()

    private val speed = DoubleArray(mesh.size)

    /** Moves [smooth] towards [mesh], which was seen [seconds] after the last one. */
    fun step(mesh: DoubleArray, seconds: Double) {
        val elapsed = if (seconds > 0 && seconds < 1) seconds else USUAL_SECONDS
        val toSpeed = share(SPEED_HZ, elapsed)
        val unit = 1 / (elapsed * Points.side(mesh))
        for (i in mesh.indices) {
            speed[i] += toSpeed * ((mesh[i] - smooth[i]) * unit - speed[i])
        }
        // One cutoff for the whole face: points that moved apart would bend it.
        val pace = hypot(Points.centreX(speed), Points.centreY(speed))
        val toMesh = share(STILL_HZ + HZ_PER_SPEED * pace, elapsed)
        for (i in mesh.indices) smooth[i] += toMesh * (mesh[i] - smooth[i])
    }

    /** How much of the new value a low-pass filter of the first order takes. */
    private fun share(cutoffHz: Double, elapsed: Double) =
        1 / (1 + 1 / (2 * PI * cutoffHz * elapsed))
}

package org.mobilefsgan.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class TrackerTest {
    private val picture = portrait().first
    private val face = portrait().second
    private val detector = FakeTracker(face)
    private val tracker = Tracker(detector)
    private val pyramid = Pyramid()

    private fun step(n: Int, picture: Picture = this.picture) =
        tracker.step(pyramid.show(picture), n / 25.0)

    @Test
    fun `it looks in the first frame and every tenth one`() {
        for (n in 0 until 21) assertEquals(1, step(n).size)
        assertEquals(3, detector.looks)
    }

    @Test
    fun `a lost face stays for five frames and keeps its number`() {
        step(0)
        detector.sees = false
        for (n in 1..5) assertEquals(1, step(n).size, "frame $n")
        assertEquals(0, step(6).size)
        detector.sees = true
        for (n in 7..15) step(n)
        assertEquals(0, step(16).single().number)
    }

    @Test
    fun `at a low frame rate a lost face stays for half a second`() {
        tracker.step(pyramid.show(picture), 0.0)
        detector.sees = false
        assertEquals(1, tracker.step(pyramid.show(picture), 0.25).size)
        assertEquals(1, tracker.step(pyramid.show(picture), 0.5).size)
        assertEquals(0, tracker.step(pyramid.show(picture), 0.75).size)
    }

    @Test
    fun `a face that comes back in time goes on`() {
        step(0)
        detector.sees = false
        for (n in 1..5) step(n)
        detector.sees = true
        assertEquals(0, step(6).single().number)
        detector.sees = false
        for (n in 7..11) assertEquals(1, step(n).size, "frame $n counts anew")
        assertEquals(0, step(12).size)
    }

    @Test
    fun `another scene begins anew`() {
        step(0)
        val other = picture.copy()
        for (i in 0 until other.size) other.rgb[i] = if (i % other.width < 160) 0 else -1
        for (i in 0 until other.size / 2) other.rgb[i] = -1
        step(1, other)
        assertEquals(2, detector.looks)
    }

    @Test
    fun `a lamp that is switched on is no new scene`() {
        step(0)
        val lit = picture.copy()
        for (i in 0 until lit.size) lit.rgb[i] = minOf(255, lit.rgb.level(i) + 30).toByte()
        step(1, lit)
        assertTrue(detector.looks == 1)
    }
}

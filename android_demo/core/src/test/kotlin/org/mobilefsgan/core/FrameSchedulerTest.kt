package org.mobilefsgan.core

import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class FrameSchedulerTest {
    private val worked = CopyOnWriteArrayList<Int>()
    private val dropped = CopyOnWriteArrayList<Int>()

    @Test
    fun `while a frame is worked on only the newest one waits`() {
        val started = CountDownLatch(1)
        val go = CountDownLatch(1)
        val scheduler = FrameScheduler<Int>("test", { dropped += it }) {
            started.countDown()
            go.await(5, TimeUnit.SECONDS)
            worked += it
        }
        scheduler.offer(1)
        assertTrue(started.await(5, TimeUnit.SECONDS))
        for (frame in 2..4) scheduler.offer(frame)
        val done = CountDownLatch(1)
        go.countDown()
        while (worked.size < 2) Thread.sleep(1)
        scheduler.post { done.countDown() }
        scheduler.close()
        assertEquals(listOf(1, 4), worked)
        assertEquals(listOf(2, 3), dropped)
        assertEquals(2, scheduler.dropped)
        assertEquals(0, done.count)
    }

    @Test
    fun `after its end every frame is dropped and no task taken`() {
        val scheduler = FrameScheduler<Int>("test", { dropped += it }) { worked += it }
        scheduler.close()
        scheduler.offer(7)
        assertEquals(listOf(7), dropped)
        assertFalse(scheduler.post { })
    }
}

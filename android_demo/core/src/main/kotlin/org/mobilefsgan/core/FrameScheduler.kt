package org.mobilefsgan.core

import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/**
 * Hands frames to one worker thread: the newest only. A frame that comes while another one waits
 * takes its place, so that what is shown never lags behind.
 *
 * All of a session's work runs on that thread, because the GPU delegate demands one thread.
 *
 * @param name of the thread.
 * @param drop gets frames that are not worked on, to be closed or used again.
 * @param work gets the others, on the worker thread.
 */
class FrameScheduler<T : Any>(
    name: String,
    private val drop: (T) -> Unit,
    private val work: (T) -> Unit
) : AutoCloseable {
    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private val tasks = ArrayDeque<() -> Unit>()
    private var waiting: T? = null
    private var open = true
    private val thread = Thread(::loop, name).apply { start() }

    /** How many frames were dropped. */
    @Volatile
    var dropped = 0L
        private set

    /** Offers a frame; one that still waits is dropped. Any thread may call it. */
    fun offer(frame: T) {
        val old = lock.withLock {
            if (!open) {
                frame
            } else {
                waiting.also {
                    waiting = frame
                    changed.signalAll()
                }
            }
        }
        if (old != null) {
            dropped++
            drop(old)
        }
    }

    /** Runs [task] on the worker thread before the next frame: loading, closing, settings. */
    fun post(task: () -> Unit): Boolean = lock.withLock {
        if (open) {
            tasks += task
            changed.signalAll()
        }
        open
    }

    /** Ends the thread after the frame that it works on and all posted tasks, and waits for it. */
    override fun close() {
        val old = lock.withLock {
            open = false
            changed.signalAll()
            waiting.also { waiting = null }
        }
        old?.let(drop)
        if (Thread.currentThread() != thread) thread.join()
    }

    private fun loop() {
        while (true) {
            var task: (() -> Unit)? = null
            val frame = lock.withLock {
                while (open && tasks.isEmpty() && waiting == null) changed.await()
                task = tasks.removeFirstOrNull()
                if (task == null) waiting.also { waiting = null } else null
            }
            val next = task
            when {
                next != null -> next()
                frame != null -> work(frame)
                else -> return
            }
        }
    }
}

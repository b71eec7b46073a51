package org.mobilefsgan.demo

import android.os.StrictMode
import java.util.concurrent.ConcurrentLinkedQueue
import org.junit.Assert.assertTrue

private val violations = ConcurrentLinkedQueue<Throwable>()

/** StrictMode counts what is not closed, and disk or network on the main thread. */
fun watchForLeaks() {
    violations.clear()
    val now = java.util.concurrent.Executor { it.run() }
    StrictMode.setVmPolicy(
        StrictMode.VmPolicy.Builder().detectLeakedClosableObjects().detectActivityLeaks()
            .penaltyListener(now) { violations += it }.build()
    )
}

fun assertNoLeaks() {
    System.gc()
    assertTrue(violations.joinToString("\n"), violations.isEmpty())
}

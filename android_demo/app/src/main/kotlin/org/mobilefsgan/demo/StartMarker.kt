package org.mobilefsgan.demo

import java.io.File

/**
 * Remembers which backend is being started. A driver that ends the process leaves the mark behind,
 * and the next start uses the CPU.
 */
class StartMarker(private val file: File) {
    /** The backend whose start never ended, null where none is known. */
    fun left(): Backend? {
        if (!file.exists()) return null
        val name = file.readText().trim()
        return Backend.entries.firstOrNull { it.name == name }
    }

    /** Marks [block] as a start of [backend]; an exception is an end, too. */
    fun <T> during(backend: Backend, block: () -> T): T {
        file.writeText(backend.name)
        try {
            return block()
        } finally {
            file.delete()
        }
    }
}

package org.mobilefsgan.demo

import android.content.Intent
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/**
 * The app's side of `benchmarks/latency.py --device android`. Run with `-Dbenchmark.extras=...` it
 * stands in for a phone: `ci/phone/adb`, a stand-in for adb, calls it.
 */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class BenchmarkActivityTest {
    private val app get() = RuntimeEnvironment.getApplication() as TestApp

    private fun measured(backends: String, runs: Int, threads: Int, out: String): List<String> {
        val start = Intent().putExtra("backends", backends).putExtra("runs", runs)
            .putExtra("threads", threads).putExtra("out", out)
        val at = Robolectric.buildActivity(BenchmarkActivity::class.java, start).setup()
        val file = File(app.getExternalFilesDir(null), out)
        waitUntil("the rows are written") { file.exists() }
        at.pause().stop().destroy()
        assertEquals("every engine is closed", 0, app.engines.open.get())
        return file.readLines()
    }

    @Test
    fun allGivesARowForEachBackendAndPrecisionAndEndsWithDone() {
        val lines = measured("all", 3, 2, "rows.jsonl")
        assertEquals("""{"done": true}""", lines.last())
        assertEquals(Backend.entries.size * 2, lines.size - 1)
        assertTrue(lines[0], """"psnr_db":47.1""" in lines[0])
        assertTrue(lines[0], """"before":"none"""" in lines[0])
    }

    @Test
    fun aBackendThatFailsGivesARowWithTheReason() {
        app.engines.broken = { if (it.backend == Backend.GPU) "no OpenCL" else null }
        val lines = measured("gpu,pytorch", 3, 2, "rows.jsonl")
        assertEquals(2, lines.count { """"reason":"no OpenCL"""" in it })
        assertEquals(1, lines.count { "no backend 'pytorch'" in it })
    }

    @Test
    fun aFileNameCannotLeadOutOfTheFolder() {
        val asked = Asked.of(Intent().putExtra("out", "../../shared_prefs/settings.xml"))
        assertEquals("settings.xml", asked.out)
        assertEquals("rows.jsonl", Asked.of(Intent().putExtra("out", "/..")).out)
    }

    @Test
    fun asAPhone() {
        val extras = System.getProperty("benchmark.extras")?.takeIf { it.isNotEmpty() } ?: return
        val (backends, runs, threads, out, place) = extras.split(";")
        val lines = measured(backends, runs.toInt(), threads.toInt(), out)
        File(place).writeText(lines.joinToString("\n", postfix = "\n"))
        assertFalse(lines.isEmpty())
    }
}

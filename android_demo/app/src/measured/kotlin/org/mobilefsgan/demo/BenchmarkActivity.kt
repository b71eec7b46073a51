package org.mobilefsgan.demo

import android.app.Activity
import android.os.Bundle
import android.view.Gravity
import android.view.WindowManager
import android.widget.TextView
import java.io.File
import kotlin.concurrent.thread
import org.mobilefsgan.core.ResultRow

/**
 * Measures, and writes result rows for `python benchmarks/latency.py --device android`.
 *
 * Extras: `backends` (comma-separated names, or `all`), `runs` and `threads` (numbers), `out` (a
 * file name; the rows go into the app's external files). The last line says that all is written.
 */
class BenchmarkActivity : Activity() {
    private lateinit var words: TextView

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        words = TextView(this).apply {
            gravity = Gravity.CENTER
            textSize = 18f
            setText(R.string.benchmark_running)
        }
        setContentView(words)
        if (saved == null) measure()
    }

    private fun measure() {
        val asked = Asked.of(intent)
        val file = File(getExternalFilesDir(null), asked.out)
        val benchmark = Benchmark(this, (application as DemoApp).engines)
        // GPU delegates are made, used and closed on one thread.
        thread(name = "benchmark") {
            val rows = benchmark.rows(asked) { said -> runOnUiThread { words.text = said } }
            writeRows(file, rows)
            runOnUiThread { words.text = getString(R.string.benchmark_done, file.name) }
        }
    }
}

/** Writes [rows] whole or not at all: a reader never sees half a file. */
fun writeRows(file: File, rows: List<ResultRow>) {
    val beside = File(file.path + ".part")
    beside.writeText(rows.joinToString("") { it.toJson() + "\n" } + ResultRow.DONE + "\n")
    check(beside.renameTo(file)) { "${file.path} cannot be written" }
}

package org.mobilefsgan.demo

import android.content.Intent

/**
 * What the benchmark is asked for.
 *
 * @property backends words as the user gave them.
 */
class Asked(val backends: List<String>, val runs: Int, val threads: Int, val out: String) {
    /** Each word with the backends that it stands for; none where this app has no such backend. */
    fun chosen(offered: Set<Backend>): List<Pair<String, List<Backend>>> = backends.map { word ->
        val meant = when (word) {
            "all" -> Backend.entries
            "tflite" -> listOf(Backend.CPU, Backend.GPU, Backend.GPU_FP16)
            else -> Backend.entries.filter { it.word == word }
        }
        word to meant.filter { it in offered }
    }

    companion object {
        private const val MOST_RUNS = 10_000

        /** Reads the extras of [intent]; a file name that leads elsewhere is not taken. */
        fun of(intent: Intent): Asked {
            val out = intent.getStringExtra("out").orEmpty().substringAfterLast('/')
            return Asked(
                intent.getStringExtra("backends").orEmpty().ifEmpty { "all" }.split(","),
                intent.getIntExtra("runs", 50).coerceIn(1, MOST_RUNS),
                intent.getIntExtra("threads", 4).coerceIn(1, 16),
                out.takeUnless { it.isEmpty() || it.startsWith(".") } ?: "rows.jsonl"
            )
        }
    }
}

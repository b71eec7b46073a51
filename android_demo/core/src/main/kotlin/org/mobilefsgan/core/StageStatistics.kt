package org.mobilefsgan.core

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

/** One stage of a result row: milliseconds over [n] frames; quantiles by linear interpolation. */
@Serializable
data class StageStatistics(
    val n: Int,
    @SerialName("mean_ms") val meanMs: Double,
    @SerialName("p50_ms") val p50Ms: Double,
    @SerialName("p90_ms") val p90Ms: Double,
    @SerialName("p99_ms") val p99Ms: Double,
    @SerialName("min_ms") val minMs: Double,
    @SerialName("max_ms") val maxMs: Double
) {
    companion object {
        /** Sums up at least one latency. */
        fun of(latenciesMs: DoubleArray): StageStatistics {
            require(latenciesMs.isNotEmpty()) { "there is no latency to sum up" }
            val sorted = latenciesMs.sortedArray()
            return StageStatistics(
                n = sorted.size,
                meanMs = sorted.average(),
                p50Ms = quantile(sorted, 0.5),
                p90Ms = quantile(sorted, 0.9),
                p99Ms = quantile(sorted, 0.99),
                minMs = sorted.first(),
                maxMs = sorted.last()
            )
        }

        private fun quantile(sorted: DoubleArray, share: Double): Double {
            val place = share * (sorted.size - 1)
            val below = place.toInt()
            val above = minOf(below + 1, sorted.size - 1)
            return sorted[below] + (place - below) * (sorted[above] - sorted[below])
        }
    }
}

package org.mobilefsgan.core

import kotlinx.serialization.EncodeDefault
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json

/** Where a row was measured. */
@Serializable
data class DeviceInfo(val model: String, val os: String, val soc: String, val cores: Int)

/** What measured it. */
@Serializable
data class AppInfo(val version: String, val commit: String)

/** The file that was measured. */
@Serializable
data class MeasuredModel(
    val name: String,
    val file: String,
    val sha256: String,
    val format: Format,
    val precision: Precision,
    val bytes: Long
) {
    companion object {
        /** What a row says of a model of a bundle. */
        fun of(spec: ModelSpec) = MeasuredModel(
            spec.model.name.lowercase(), spec.file, spec.sha256, spec.format, spec.precision,
            spec.bytes
        )
    }
}

/** The backend that was asked for, and the one that ran. */
@Serializable
data class Ran(
    val requested: String,
    val used: String,
    val threads: Int,
    val partitions: Int? = null
)

/** Number of warm-up frames and of timed frames. */
@Serializable
data class Runs(val warmup: Int, val n: Int)

/** Thermal state before and after, as the device names it. */
@Serializable
data class Thermal(val before: String? = null, val after: String? = null)

/** Nearness to PyTorch over the golden samples; the worst sample counts. */
@Serializable
data class Check(
    @SerialName("psnr_db") val psnrDb: Double? = null,
    @SerialName("max_abs") val maxAbs: Double? = null
) {
    companion object {
        /** Of a self-test; JSON has no number for what is not finite. */
        fun of(test: SelfTest) =
            Check(test.psnrDb.takeIf { it.isFinite() }, test.maxAbs.takeIf { it.isFinite() })
    }
}

/**
 * One result: one backend at one precision, as benchmarks/ reads it.
 *
 * @property stages times by stage: detect, align, generate, blend, total; empty for a failed row.
 * @property reason why there is no latency.
 * @property taken date and time, ISO 8601.
 */
@OptIn(ExperimentalSerializationApi::class)
@Serializable
data class ResultRow(
    val device: DeviceInfo,
    val app: AppInfo,
    val model: MeasuredModel,
    val backend: Ran,
    val runs: Runs,
    @SerialName("load_ms") val loadMs: Double? = null,
    @SerialName("first_ms") val firstMs: Double? = null,
    @SerialName("peak_rss_mb") val peakRssMb: Double? = null,
    val stages: Map<String, StageStatistics> = emptyMap(),
    val thermal: Thermal? = null,
    val check: Check? = null,
    val reason: String? = null,
    val taken: String? = null,
    @EncodeDefault val schema: Int = 1,
    @EncodeDefault val source: String = "android",
    @EncodeDefault val how: String = "measured"
) {
    init {
        require("total" in stages || reason != null) {
            "a row has neither a total latency nor a reason why there is none"
        }
    }

    /** The row as one line of JSON, without the line's end. */
    fun toJson(): String = Json.encodeToString(serializer(), this)

    companion object {
        /** The last line of a file of rows: all were written. */
        const val DONE = """{"done": true}"""
    }
}

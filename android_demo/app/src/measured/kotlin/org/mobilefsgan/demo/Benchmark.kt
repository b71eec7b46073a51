package org.mobilefsgan.demo

import android.content.Context
import android.os.Build
import android.os.PowerManager
import java.io.File
import java.text.SimpleDateFormat
import java.util.Date
import java.util.Locale
import java.util.TimeZone
import org.mobilefsgan.core.AppInfo
import org.mobilefsgan.core.Check
import org.mobilefsgan.core.DeviceInfo
import org.mobilefsgan.core.Format
import org.mobilefsgan.core.MeasuredModel
import org.mobilefsgan.core.Precision
import org.mobilefsgan.core.ResultRow
import org.mobilefsgan.core.Runs
import org.mobilefsgan.core.StageStatistics
import org.mobilefsgan.core.Thermal

/**
 * Measures every chosen backend with every precision, a row each: whole frames in stages, a golden
 * face in 640 x 480 pixels, as the web demo and the iOS app do.
 */
class Benchmark(private val context: Context, private val engines: Engines) {
    /** All rows; a backend that does not work gives a row with the reason. */
    fun rows(asked: Asked, tell: (String) -> Unit): List<ResultRow> {
        val offers = try {
            engines.offers()
        } catch (error: EngineError) {
            return asked.backends.map { failed(it, NO_MODEL, asked, error.message.orEmpty()) }
        }
        return offers.flatMap { rows(it, asked, tell) }
    }

    private fun rows(offer: Offer, asked: Asked, tell: (String) -> Unit): List<ResultRow> =
        asked.chosen(offer.precisions.keys).flatMap { (word, backends) ->
            if (backends.isEmpty()) {
                val reason = "this app has no backend '$word' for the bundle ${offer.name}"
                listOf(failed(word, NO_MODEL, asked, reason))
            } else {
                backends.flatMap { measured(it, offer, asked, tell) }
            }
        }

    private fun measured(
        backend: Backend,
        offer: Offer,
        asked: Asked,
        tell: (String) -> Unit
    ): List<ResultRow> = offer.precisions.getValue(backend).map { precision ->
        tell("${offer.name} ${backend.label} $precision")
        val choice = Choice(precision, backend, asked.threads, offer.folder)
        try {
            engines.load(choice).use { row(it, asked) }
        } catch (error: EngineError) {
            val model = NO_MODEL.copy(
                file = "generator-$precision",
                precision = Precision.entries.first { it.word == precision }
            )
            failed(backend.word, model, asked, error.message.orEmpty())
        }
    }

    private fun row(engine: Engine, asked: Asked): ResultRow {
        val before = thermal()
        val firstMs = engine.measuredFrame().total
        repeat(WARMUP - 1) { engine.measuredFrame() }
        val frames = List(asked.runs) { engine.measuredFrame() }
        val after = thermal()
        val test = engine.selfTest()
        return ResultRow(
            device(), app(), MeasuredModel.of(engine.ran.spec),
            org.mobilefsgan.core.Ran(
                engine.ran.choice.backend.word, engine.ran.used, engine.ran.choice.threads
            ),
            Runs(WARMUP, asked.runs),
            loadMs = engine.ran.loadMs, firstMs = firstMs, peakRssMb = peakRssMb(),
            stages = stages(frames),
            thermal = Thermal(before, after),
            check = Check(
                test.psnrDb.takeIf { it.isFinite() },
                test.maxAbs.takeIf { it.isFinite() }
            ),
            reason = if (test.passed) null else "missed the self-test: ${test.psnrDb} dB",
            taken = now()
        )
    }

    private fun stages(frames: List<Times>) = mapOf(
        "detect" to Times::find, "align" to Times::align, "generate" to Times::generate,
        "blend" to Times::putBack, "total" to Times::total
    ).mapValues { (_, ms) -> StageStatistics.of(DoubleArray(frames.size) { ms(frames[it]) }) }

    private fun failed(word: String, model: MeasuredModel, asked: Asked, reason: String) =
        ResultRow(
            device(), app(), model, org.mobilefsgan.core.Ran(word, "none", asked.threads),
            Runs(0, 0), reason = reason, taken = now()
        )

    private fun device() = DeviceInfo(
        "${Build.MANUFACTURER} ${Build.MODEL}", "Android ${Build.VERSION.RELEASE}", soc(),
        Runtime.getRuntime().availableProcessors()
    )

    private fun soc() = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
        "${Build.SOC_MANUFACTURER} ${Build.SOC_MODEL}"
    } else {
        Build.HARDWARE
    }

    private fun app(): AppInfo {
        val version = context.packageManager.getPackageInfo(context.packageName, 0).versionName
        return AppInfo(version.orEmpty(), context.getString(R.string.commit))
    }

    private fun thermal(): String? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return null
        val power = context.getSystemService(Context.POWER_SERVICE) as PowerManager
        return THERMAL.getOrNull(power.currentThermalStatus)
    }

    /** The kernel's high-water mark of this process. */
    private fun peakRssMb(): Double? = try {
        File("/proc/self/status").useLines { lines ->
            lines.firstOrNull { it.startsWith("VmHWM") }?.filter(Char::isDigit)?.toDouble()
        }?.let { it * 1024 / 1e6 }
    } catch (error: java.io.IOException) {
        null
    }

    private fun now() = SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss'Z'", Locale.ROOT)
        .apply { timeZone = TimeZone.getTimeZone("UTC") }.format(Date())

    private companion object {
        const val WARMUP = 5
        val NO_MODEL = MeasuredModel("generator", "generator", "", Format.TFLITE, Precision.FP32, 0)
        val THERMAL =
            listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
    }
}

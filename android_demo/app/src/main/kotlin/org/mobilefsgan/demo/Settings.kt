package org.mobilefsgan.demo

import android.content.Context
import org.mobilefsgan.core.SelfTest

/** What the user chose, and which self-tests passed. */
class Settings(context: Context) {
    private val kept = context.getSharedPreferences("settings", Context.MODE_PRIVATE)
    private val tests = context.getSharedPreferences("self-tests", Context.MODE_PRIVATE)

    var choice: Choice
        get() {
            val plain = Choice(threads = minOf(4, Runtime.getRuntime().availableProcessors()))
            return Choice(
                kept.getString("precision", null) ?: plain.precision,
                Backend.entries.firstOrNull { it.name == kept.getString("backend", null) }
                    ?: plain.backend,
                kept.getInt("threads", plain.threads),
                kept.getString("bundle", null) ?: plain.bundle
            )
        }
        set(value) = kept.edit()
            .putString("precision", value.precision)
            .putString("backend", value.backend.name)
            .putInt("threads", value.threads)
            .putString("bundle", value.bundle)
            .apply()

    /** Draw the visible badge. */
    var badge: Boolean
        get() = kept.getBoolean("badge", true)
        set(value) = kept.edit().putBoolean("badge", value).apply()

    /** The file format of pictures that are saved and shared. */
    var saveFormat: SaveFormat
        get() = SaveFormat.entries.firstOrNull { it.name == kept.getString("save-format", null) }
            ?: SaveFormat.JPEG
        set(value) = kept.edit().putString("save-format", value.name).apply()

    /** PSNR in dB of the self-test that [ran] passed on this device, null before it did. */
    fun passed(ran: Ran): Double? =
        if (tests.contains(key(ran))) tests.getFloat(key(ran), 0f).toDouble() else null

    fun markPassed(ran: Ran, test: SelfTest) =
        tests.edit().putFloat(key(ran), test.psnrDb.toFloat()).apply()

    // A system update may bring another driver.
    private fun key(ran: Ran) =
        "${ran.choice.backend}-${ran.spec.sha256}-${android.os.Build.FINGERPRINT}"
}

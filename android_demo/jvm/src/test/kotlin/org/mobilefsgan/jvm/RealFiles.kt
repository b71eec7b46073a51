package org.mobilefsgan.jvm

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assumptions
import org.mobilefsgan.core.Bundle
import org.mobilefsgan.core.Detector
import org.mobilefsgan.core.FolderAssets
import org.mobilefsgan.core.Generator
import org.mobilefsgan.core.Golden
import org.mobilefsgan.core.GoldenSample
import org.mobilefsgan.core.IdentityEncoder
import org.mobilefsgan.core.ModelKind
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.Precision
import org.mobilefsgan.core.text

/** Weights in `model/weights` that made `portraits.json`, and where a manifest names its own. */
enum class Shipped(val file: String, val key: String) {
    GENERATOR("mobilefsgan-lite.pt", "checkpoint"),
    ENCODER("mobilefacenet.pt", "identity_checkpoint");

    /** SHA-256 of the file. */
    val sha256: String by lazy {
        val vectors = File(System.getProperty("mobilefsgan.vectors"))
        val weights = File(vectors, "../../model/weights/$file").readBytes()
        MessageDigest.getInstance("SHA-256").digest(weights).joinToString("") { "%02x".format(it) }
    }
}

/**
 * What these tests take from outside: a bundle, the detectors' files, LiteRT's library. Where
 * something is not there, a test is skipped with a reason, and fails where CI=true.
 */
object RealFiles {
    private const val BUNDLE = "MOBILEFSGAN_BUNDLE"
    private const val DETECTORS = "MOBILEFSGAN_DETECTORS"
    private const val LITERT = "MOBILEFSGAN_LITERT"
    private val names = mapOf(
        "near" to "face_detection_short_range.tflite",
        "far" to "face_detection_full_range.tflite",
        "mesh" to "face_landmark.tflite"
    )

    /** The bundle that the environment names. */
    val bundle: Bundle by lazy { Bundle(FolderAssets(bundleFolder())) }

    /** LiteRT. */
    val litert: LitertC by lazy { LitertC(LitertLibrary(file(LITERT))) }

    /** The detector, loaded. */
    fun detector() = Detector(detectorModel("near"), detectorModel("far"), detectorModel("mesh"))

    /** The golden samples. */
    fun golden(): List<GoldenSample> {
        val folder = File(bundleFolder(), "golden")
        need(folder.exists()) { "${bundleFolder()} has no golden samples; --no-parity omits them" }
        return Golden.read(bundle)
    }

    /** Whether the bundle was exported from these very weights. */
    fun holds(shipped: Shipped): Boolean = sha256(shipped) == shipped.sha256

    /** What the vectors say of pictures and identities is of these weights, and of no others. */
    fun needWeights(shipped: Shipped) = need(holds(shipped)) {
        "tests/vectors is of ${shipped.file} (SHA-256 ${shipped.sha256.take(12)}), the " +
            "${shipped.key} of ${bundleFolder()} is another (${sha256(shipped)?.take(12)})"
    }

    /** The generator of a precision on a runtime, loaded. */
    fun generator(runtime: ModelRuntime, precision: Precision): Generator {
        needFile("generator-${precision.word}.${runtime.format.name.lowercase()}")
        val spec = bundle.manifest.find(ModelKind.GENERATOR, runtime.format, precision)
        return Generator(spec, runtime.load(bundle.model(spec), threads = 1))
    }

    /** The identity encoder on a runtime, loaded; in fp32, the highest precision there is. */
    fun encoder(runtime: ModelRuntime): IdentityEncoder {
        needFile("identity-fp32.${runtime.format.name.lowercase()}")
        val spec = bundle.identityEncoder(runtime.format)
        return IdentityEncoder(spec, runtime.load(bundle.model(spec), threads = 1))
    }

    private fun detectorModel(name: String) = litert.load(
        if (File(bundleFolder(), "detectors/index.json").exists()) {
            bundle.detector(name)
        } else {
            val bytes = File(file(DETECTORS), names.getValue(name)).readBytes()
            ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).put(bytes)
                .clear()
        },
        threads = 1
    )

    private fun bundleFolder() = file(BUNDLE)

    private fun needFile(name: String) = need(bundle.manifest.models.any { it.file == name }) {
        "${bundleFolder()} has no $name"
    }

    /** SHA-256 of the checkpoint that the bundle was made from, null where it had none. */
    private fun sha256(shipped: Shipped): String? {
        val manifest = File(bundleFolder(), "manifest.json").readText()
        val checkpoint = Json.parseToJsonElement(manifest).jsonObject[shipped.key] as? JsonObject
        return checkpoint?.text("sha256")
    }

    /** The file that a variable names. */
    private fun file(variable: String): File {
        val path = System.getProperty(variable) ?: System.getenv(variable)
        need(path != null && File(path).exists()) { "$variable names no file (it is $path)" }
        return File(path!!)
    }

    private fun need(there: Boolean, missing: () -> String) {
        if (there) return
        val reason = "SKIPPED: ${missing()}"
        println(reason)
        check(System.getenv("CI") != "true") { "where CI=true no test may be $reason" }
        Assumptions.abort<Unit>(reason)
    }
}

package org.mobilefsgan.jvm

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.junit.jupiter.api.Assumptions
import org.mobilefsgan.core.Bundle
import org.mobilefsgan.core.Detector
import org.mobilefsgan.core.FolderAssets
import org.mobilefsgan.core.Generator
import org.mobilefsgan.core.IdentityEncoder
import org.mobilefsgan.core.ModelKind
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.Precision

/** What these tests take from outside: a bundle, the detectors' files, LiteRT's library. */
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

    /** The generator of a precision on a runtime, loaded. */
    fun generator(runtime: ModelRuntime, precision: Precision): Generator {
        val spec = bundle.manifest.find(ModelKind.GENERATOR, runtime.format, precision)
        return Generator(spec, runtime.load(bundle.model(spec), threads = 1))
    }

    /** The identity encoder on a runtime, loaded. */
    fun encoder(runtime: ModelRuntime): IdentityEncoder {
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

    /** The file that a variable names; without it the test is skipped, and fails where CI=true. */
    private fun file(variable: String): File {
        val path = System.getProperty(variable) ?: System.getenv(variable)
        val reason = "SKIPPED: $variable names no file (it is $path)"
        val found = path != null && File(path).exists()
        if (!found) {
            println(reason)
            check(System.getenv("CI") != "true") { reason }
        }
        Assumptions.assumeTrue(found, reason)
        return File(path!!)
    }
}

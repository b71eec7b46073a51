package org.mobilefsgan.demo

import android.os.SystemClock
import org.mobilefsgan.core.Bundle
import org.mobilefsgan.core.Detector
import org.mobilefsgan.core.FaceSwapper
import org.mobilefsgan.core.Generator
import org.mobilefsgan.core.Golden
import org.mobilefsgan.core.IdentityEncoder
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.ModelSpec
import org.mobilefsgan.core.NoFaceException
import org.mobilefsgan.core.Picture
import org.mobilefsgan.core.Precision
import org.mobilefsgan.core.SelfTest

/** The loaded models of an engine, closed together. */
internal class EngineParts(
    val detector: Detector,
    val generator: Generator,
    val encoder: () -> IdentityEncoder
) : AutoCloseable {
    override fun close() {
        generator.close()
        detector.close()
    }

    companion object {
        /** Loads [spec] on [runtime], the detectors on [cpu]; an error leaves nothing open. */
        fun load(
            bundle: Bundle,
            spec: ModelSpec,
            runtime: ModelRuntime,
            cpu: ModelRuntime,
            threads: Int
        ): EngineParts {
            val open = ArrayList<AutoCloseable>()
            try {
                val models = listOf("near", "far", "mesh").map { name ->
                    cpu.load(bundle.detector(name), threads).also { open += it }
                }
                val detector = Detector(models[0], models[1], models[2])
                val loaded = runtime.load(bundle.model(spec), threads).also { open += it }
                return EngineParts(detector, Generator(spec, loaded)) {
                    val identity = bundle.identityEncoder(cpu.format)
                    IdentityEncoder(identity, cpu.load(bundle.model(identity), threads))
                }
            } catch (error: Exception) {
                open.asReversed().forEach { it.close() }
                throw error
            }
        }
    }
}

/** The models of the bundle at work. */
internal class BundleEngine(
    private val bundle: Bundle,
    private val parts: EngineParts,
    override val ran: Ran
) : Engine {
    private val swapper = FaceSwapper(parts.detector, parts.generator, bundle.manifest.align)
    private val sample by lazy { Golden.read(bundle).first() }
    private val frame by lazy { testFrame(sample.target) }
    private val seen by lazy { frame.copy() }
    private var live = false

    /** The encoder is loaded for this call only: a source is chosen rarely. */
    override fun embeddingOf(source: Picture): FloatArray? = inWords {
        parts.encoder().use { encoder ->
            try {
                swapper.identity(source, encoder)
            } catch (error: NoFaceException) {
                null
            }
        }
    }

    override fun swap(target: Picture, embedding: FloatArray, live: Boolean): Outcome = inWords {
        if (live && !this.live) swapper.reset()
        this.live = live
        val faces = if (live) {
            swapper.swapFrame(target, embedding, SystemClock.elapsedRealtimeNanos() / 1e9)
        } else {
            photo(target, embedding)
        }
        val times = swapper.times
        Outcome(faces, Times(times.detect, times.align, times.generate, times.blend))
    }

    private fun photo(target: Picture, embedding: FloatArray): Int = try {
        swapper.swapPhoto(target, embedding, all = true)
    } catch (error: NoFaceException) {
        0
    }

    override fun selfTest(): SelfTest = inWords {
        Golden.test(parts.generator, Golden.read(bundle), floorDb())
    }

    /** A GPU that computes in half precision is as exact as an fp16 file at most. */
    private fun floorDb(): Double {
        val ofFile = Golden.floorDb(ran.spec.precision)
        val halves = ran.choice.backend == Backend.GPU_FP16
        return if (halves) minOf(ofFile, Golden.floorDb(Precision.FP16)) else ofFile
    }

    override fun measuredFrame(): Times {
        val outcome = swap(seen.set(frame), sample.embedding, live = true)
        if (outcome.faces == 0) throw EngineError("no face was found in the golden sample")
        return outcome.times
    }

    override fun close() = parts.close()
}

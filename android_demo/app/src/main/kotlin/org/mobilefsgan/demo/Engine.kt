package org.mobilefsgan.demo

import java.io.Closeable
import java.io.IOException
import org.mobilefsgan.core.ModelSpec
import org.mobilefsgan.core.Picture
import org.mobilefsgan.core.SelfTest

/**
 * Where a generator runs.
 *
 * @property label for people.
 * @property word for commands and result rows.
 */
enum class Backend(val label: String, val word: String) {
    CPU("CPU", "cpu"),
    GPU("GPU", "gpu"),
    GPU_FP16("GPU fp16", "gpu-fp16"),
    ONNX("ONNX", "onnx")
}

/**
 * What is asked for.
 *
 * @property precision fp32, fp16 or int8; another one that the bundle has where it lacks this one.
 * @property bundle the [Offer.folder] of its generator; the first one where there is none of that
 *   name.
 */
data class Choice(
    val precision: String = "int8",
    val backend: Backend = Backend.CPU,
    val threads: Int = 4,
    val bundle: String = ""
)

/**
 * What a bundle of this app can do.
 *
 * @property folder where it lies in the assets.
 * @property name for people.
 * @property precisions of its generator, by backend.
 */
data class Offer(val folder: String, val name: String, val precisions: Map<Backend, List<String>>)

/** The offer that [choice] means. */
fun List<Offer>.of(choice: Choice): Offer = find { it.folder == choice.bundle } ?: first()

/**
 * What really runs.
 *
 * @property choice what was loaded; its backend and its precision may differ from what was asked
 *   for.
 * @property spec the generator's file.
 * @property used the runtime and the processor, as result rows name them.
 */
data class Ran(val choice: Choice, val spec: ModelSpec, val used: String, val loadMs: Double)

/** Milliseconds of one frame's stages. */
data class Times(val find: Double, val align: Double, val generate: Double, val putBack: Double) {
    val total: Double get() = find + align + generate + putBack
}

/** One swapped frame: how many faces were swapped, and how long it took. */
data class Outcome(val faces: Int, val times: Times)

/** A model, a file or a backend cannot be used; the message says which and why. */
class EngineError(message: String, cause: Throwable? = null) : IOException(message, cause)

/** Loaded models. Made, used and closed on one thread, as GPU delegates ask for. */
interface Engine : Closeable {
    val ran: Ran

    /**
     * The identity of the largest face in [source]: 512 numbers, unit L2 norm. Null without a face.
     */
    fun embeddingOf(source: Picture): FloatArray?

    /**
     * Swaps the faces of [target] in place.
     *
     * @param live the picture follows the one before: faces are tracked and smoothed.
     * @throws EngineError the model gave values that are not finite.
     */
    fun swap(target: Picture, embedding: FloatArray, live: Boolean): Outcome

    /** Replays the bundle's golden samples. */
    fun selfTest(): SelfTest

    /**
     * Swaps one frame of the benchmark: a golden face in a camera's picture.
     *
     * @throws EngineError no face was found in it.
     */
    fun measuredFrame(): Times
}

/** Loads engines. */
interface Engines {
    /**
     * What each bundle offers, at least one.
     *
     * @throws EngineError a bundle is missing or damaged.
     */
    fun offers(): List<Offer>

    /** @throws EngineError a file is damaged, or the backend does not take it. */
    fun load(choice: Choice): Engine
}

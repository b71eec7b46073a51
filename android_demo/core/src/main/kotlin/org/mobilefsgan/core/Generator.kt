package org.mobilefsgan.core

import kotlin.math.sqrt

/**
 * The generator: puts an identity onto an aligned face.
 *
 * @param spec what the manifest says of it.
 * @param model the loaded file, which this object closes.
 * @throws ModelException the file's tensors are others than the manifest's.
 */
class Generator(val spec: ModelSpec, private val model: SwapModel) : AutoCloseable {
    private val embeddingSpec = spec.inputs.named("embedding")
    private val embedding = model.input(embeddingSpec.name)
    private val target = PictureTensor(spec.inputs.named("target"), model.input("target"))
    private val image = PictureTensor(spec.outputs[0], model.output(spec.outputs[0].name))

    init {
        embeddingSpec.check(embedding)
    }

    /** Edge of an aligned face in pixels. */
    val edge: Int get() = target.edge

    /** Length of an identity. */
    val embeddingSize: Int get() = embedding.count

    /** What really computes. */
    val backend: String get() = model.backend

    /** Threads that compute on the CPU. */
    val threads: Int get() = model.threads

    /** Makes [into] the swapped face of [aligned]; [identity] has unit L2 norm. */
    fun generate(aligned: Picture, identity: FloatArray, into: Picture) {
        run(aligned, identity)
        image.read(into)
    }

    /** As [generate], into floats in [0, 1], RGB interleaved. */
    fun generateUnit(aligned: Picture, identity: FloatArray, into: FloatArray) {
        run(aligned, identity)
        image.readUnit(into)
    }

    override fun close() = model.close()

    private fun run(aligned: Picture, identity: FloatArray) {
        require(identity.size == embeddingSize) {
            "the identity has ${identity.size} numbers; expected $embeddingSize"
        }
        target.write(aligned)
        embedding.write(identity)
        model.run()
    }
}

/**
 * The identity encoder: says whose an aligned face is.
 *
 * @param spec what the manifest says of it.
 * @param model the loaded file, which this object closes.
 */
class IdentityEncoder(spec: ModelSpec, private val model: SwapModel) : AutoCloseable {
    private val face = PictureTensor(spec.inputs[0], model.input(spec.inputs[0].name))
    private val embedding = model.output(spec.outputs[0].name)

    /** Edge of an aligned face in pixels. */
    val edge: Int get() = face.edge

    /**
     * The identity of an aligned face, unit L2 norm.
     *
     * @throws ModelException the answer is zero or not finite.
     */
    fun embed(aligned: Picture): FloatArray {
        face.write(aligned)
        model.run()
        val found = FloatArray(embedding.count)
        embedding.read(found)
        return unit(found)
    }

    override fun close() = model.close()

    companion object {
        /** [vector] at length one, in place. */
        fun unit(vector: FloatArray): FloatArray {
            val norm = sqrt(vector.sumOf { it.toDouble() * it })
            if (!(norm > 0) || norm.isInfinite()) {
                throw ModelException("The identity is zero or not finite. Choose another photo.")
            }
            for (i in vector.indices) vector[i] = (vector[i] / norm).toFloat()
            return vector
        }
    }
}

private fun List<TensorSpec>.named(name: String): TensorSpec = find { it.name == name }
    ?: throw ModelException("The manifest gives the generator no '$name'. Export it again.")

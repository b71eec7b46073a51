package org.mobilefsgan.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** A runtime cannot work here, or cannot load a file. The message is for the user. */
class ModelException(message: String, cause: Throwable? = null) : Exception(message, cause)

/**
 * One input or output of a loaded model.
 *
 * @property name as the file's signature has it.
 * @property shape all axes, batch first.
 * @property data direct, in native byte order; the model reads or writes it in [SwapModel.run].
 */
class Tensor(val name: String, val shape: IntArray, val dtype: DType, val data: ByteBuffer) {
    /** How many numbers it holds. */
    val count: Int = shape.fold(1, Int::times)

    /** The numbers of a float32 tensor; its position is undefined. */
    val floats: FloatBuffer = data.duplicate().order(data.order()).asFloatBuffer()

    /** Copies the numbers of a float32 tensor into [to]. */
    fun read(to: FloatArray) {
        floats.clear()
        floats.get(to, 0, count)
    }

    /** Copies numbers into a float32 tensor. */
    fun write(from: FloatArray) {
        floats.clear()
        floats.put(from, 0, count)
    }

    companion object {
        /**
         * A tensor of zeros in memory of its own.
         *
         * @param type what the runtime calls [dtype], which is null for one that no model has.
         * @throws ModelException the type is neither float32 nor uint8.
         */
        fun of(name: String, shape: IntArray, dtype: DType?, type: Any): Tensor {
            if (dtype == null) {
                throw ModelException("'$name' is $type; expected float32 or uint8.")
            }
            val width = if (dtype == DType.FLOAT32) Float.SIZE_BYTES else 1
            val data = ByteBuffer.allocateDirect(shape.fold(width, Int::times))
            return Tensor(name, shape, dtype, data.order(ByteOrder.nativeOrder()))
        }
    }
}

/**
 * A model file that is loaded into a runtime. It owns the buffers of its tensors, so that a frame
 * copies nothing more than it has to.
 *
 * One thread creates, runs and closes it: the GPU delegate demands it.
 */
interface SwapModel : AutoCloseable {
    /** What really computes, as rows and the screen name it: `litert-cpu`, `litert-gpu`... */
    val backend: String

    /** Threads that compute on the CPU. */
    val threads: Int

    /** Inputs, in the file's order. */
    val inputs: List<Tensor>

    /** Outputs, in the file's order. */
    val outputs: List<Tensor>

    /**
     * Computes all outputs from all inputs.
     *
     * @throws ModelException the runtime fails.
     */
    fun run()

    /** Frees what the runtime holds; a second call does nothing. */
    override fun close()

    /** The input called [name]. */
    fun input(name: String): Tensor = inputs.named(name, "input")

    /** The output called [name]. */
    fun output(name: String): Tensor = outputs.named(name, "output")
}

/** A way to run models: a runtime on a processor. */
interface ModelRuntime {
    /** As rows and settings name it: `litert-cpu`, `litert-gpu`, `onnx-cpu`. */
    val name: String

    /** The files that it takes. */
    val format: Format

    /**
     * Loads a model on the calling thread.
     *
     * @param file the whole file, direct, in native byte order.
     * @param threads for the CPU.
     * @throws ModelException the runtime cannot work here, or refuses the file.
     */
    fun load(file: ByteBuffer, threads: Int): SwapModel
}

private fun List<Tensor>.named(name: String, side: String): Tensor {
    for (i in indices) if (this[i].name == name) return this[i]
    throw ModelException(
        "The model has no $side '$name'; it has ${joinToString { it.name }}. Export it again."
    )
}

package org.mobilefsgan.jvm

import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout.ADDRESS
import java.lang.foreign.ValueLayout.JAVA_BYTE
import java.lang.foreign.ValueLayout.JAVA_INT
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.mobilefsgan.core.DType
import org.mobilefsgan.core.Format
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.SwapModel
import org.mobilefsgan.core.Tensor

private const val ALIGNMENT = 64L // of host memory; LiteRT refuses less
private const val TENSOR_TYPE_BYTES = 72L // element type, rank, eight axes, eight strides
private const val AXES_AT = 8L
private const val CPU = 1
private const val MAIN = 0L // the index of the only signature

/** LiteRT on this machine's CPU, for tests: the kernels that a phone's CPU runs too. */
class LitertC(private val library: LitertLibrary) : ModelRuntime {
    override val name = "litert-cpu"
    override val format = Format.TFLITE

    override fun load(file: ByteBuffer, threads: Int): SwapModel = Model(file)

    private inner class Model(private val file: ByteBuffer) : SwapModel {
        override val backend = name
        override val threads = 1
        private val arena = Arena.ofShared()
        private val environment =
            library.make("LiteRtCreateEnvironment", 0, MemorySegment.NULL)
        private val model = library.model(environment, MemorySegment.ofBuffer(file))
        private val options = library.make("LiteRtCreateOptions")
        private val compiled: MemorySegment
        private val signature = library.make("LiteRtGetModelSignature", model, MAIN)
        private val buffers = ArrayList<MemorySegment>()
        override val inputs = tensors("Input")
        override val outputs = tensors("Output")
        private val given = addresses(buffers.take(inputs.size))
        private val wanted = addresses(buffers.drop(inputs.size))

        init {
            library.call("LiteRtSetOptionsHardwareAccelerators", options, CPU)
            compiled = library.make("LiteRtCreateCompiledModel", environment, model, options)
        }

        override fun run() = library.call(
            "LiteRtRunCompiledModel", compiled, MAIN, inputs.size.toLong(), given,
            outputs.size.toLong(), wanted
        )

        override fun close() {
            if (!arena.scope().isAlive) return
            buffers.forEach { library.destroy("LiteRtDestroyTensorBuffer", it) }
            library.destroy("LiteRtDestroyCompiledModel", compiled)
            library.destroy("LiteRtDestroyOptions", options)
            library.destroy("LiteRtDestroyModel", model)
            library.destroy("LiteRtDestroyEnvironment", environment)
            arena.close()
        }

        private fun tensors(side: String): List<Tensor> =
            List(library.count("LiteRtGetNumSignature${side}s", signature)) { i ->
                val at = i.toLong()
                val name = library.make("LiteRtGetSignature${side}Name", signature, at)
                val tensor =
                    library.make("LiteRtGetSignature${side}TensorByIndex", signature, at)
                val type = arena.allocate(TENSOR_TYPE_BYTES, ALIGNMENT)
                library.call("LiteRtGetRankedTensorType", tensor, type)
                described(name.reinterpret(Long.MAX_VALUE).getString(0), type)
            }

        private fun described(name: String, type: MemorySegment): Tensor {
            val float = type.get(JAVA_INT, 0) == 1
            val rank = type.get(JAVA_BYTE, 4).toInt() and 0x7F
            val shape = IntArray(rank) { type.get(JAVA_INT, AXES_AT + 4 * it) }
            val bytes = shape.fold(if (float) 4L else 1L) { product, axis -> product * axis }
            val data = arena.allocate(bytes, ALIGNMENT)
            buffers += library.make(
                "LiteRtCreateTensorBufferFromHostMemory", type, data, bytes, MemorySegment.NULL
            )
            return Tensor(
                name,
                shape,
                if (float) DType.FLOAT32 else DType.UINT8,
                data.asByteBuffer().order(ByteOrder.nativeOrder())
            )
        }

        private fun addresses(of: List<MemorySegment>): MemorySegment {
            val list = arena.allocate(ADDRESS, of.size.toLong())
            of.forEachIndexed { i, address -> list.setAtIndex(ADDRESS, i.toLong(), address) }
            return list
        }
    }
}

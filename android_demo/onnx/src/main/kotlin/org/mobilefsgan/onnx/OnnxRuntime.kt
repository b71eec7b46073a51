package org.mobilefsgan.onnx

import ai.onnxruntime.NodeInfo
import ai.onnxruntime.OnnxJavaType
import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtException
import ai.onnxruntime.OrtLoggingLevel
import ai.onnxruntime.OrtSession
import ai.onnxruntime.TensorInfo
import java.nio.ByteBuffer
import org.mobilefsgan.core.DType
import org.mobilefsgan.core.Format
import org.mobilefsgan.core.ModelException
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.SwapModel
import org.mobilefsgan.core.Tensor

/** ONNX Runtime on the CPU: one code for desktops and phones. */
class OnnxRuntime : ModelRuntime {
    override val name = "onnx-cpu"
    override val format = Format.ONNX

    override fun load(file: ByteBuffer, threads: Int): SwapModel {
        try {
            val environment = OrtEnvironment.getEnvironment()
            val bytes = ByteArray(file.capacity())
            file.clear()
            file.get(bytes)
            OrtSession.SessionOptions().use { options ->
                options.setIntraOpNumThreads(threads)
                options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR)
                // The fast 8-bit kernel of x86 without VNNI overflows; others ignore this.
                options.addConfigEntry("session.x64quantprecision", "1")
                return OnnxModel(name, threads, environment.createSession(bytes, options))
            }
        } catch (error: OrtException) {
            throw refused(error)
        } catch (error: LinkageError) { // the native library is missing, or of another processor
            throw refused(error)
        }
    }

    private fun refused(error: Throwable) = ModelException(
        "$name cannot run the model here (${error.message?.lineSequence()?.first()}). " +
            "Choose LiteRT.",
        error
    )
}

private class OnnxModel(
    override val backend: String,
    override val threads: Int,
    private val session: OrtSession
) : SwapModel {
    override val inputs = session.inputInfo.values.map(::tensor)
    override val outputs = session.outputInfo.values.map(::tensor)
    private val given = inputs.associateTo(HashMap()) { it.name to bound(it) }
    private val wanted = outputs.associateTo(HashMap()) { it.name to bound(it) }
    private var open = true

    override fun run() {
        check(open) { "the model is closed" }
        try {
            session.run(given, wanted).close() // the outputs stay: they are ours
        } catch (error: OrtException) {
            throw ModelException(
                "$backend failed (${error.message?.lineSequence()?.first()}). " +
                    "Choose another backend.",
                error
            )
        }
    }

    override fun close() {
        if (!open) return
        open = false
        given.values.forEach { it.close() }
        wanted.values.forEach { it.close() }
        session.close()
    }

    private fun tensor(node: NodeInfo): Tensor {
        val info = node.info as TensorInfo
        val dtype = when (info.type) {
            OnnxJavaType.FLOAT -> DType.FLOAT32
            OnnxJavaType.UINT8 -> DType.UINT8
            else -> null
        }
        val shape = IntArray(info.shape.size) { info.shape[it].toInt() }
        return Tensor.of(node.name, shape, dtype, info.type)
    }

    /** A tensor of the runtime in the memory of [tensor]. */
    private fun bound(tensor: Tensor): OnnxTensor {
        val shape = LongArray(tensor.shape.size) { tensor.shape[it].toLong() }
        val environment = OrtEnvironment.getEnvironment()
        tensor.data.clear()
        return when (tensor.dtype) {
            DType.FLOAT32 ->
                OnnxTensor.createTensor(environment, tensor.data.asFloatBuffer(), shape)
            DType.UINT8 ->
                OnnxTensor.createTensor(environment, tensor.data, shape, OnnxJavaType.UINT8)
        }
    }
}

package org.mobilefsgan.litert

import java.nio.ByteBuffer
import org.mobilefsgan.core.Format
import org.mobilefsgan.core.ModelException
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.SwapModel
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.gpu.GpuDelegate
import org.tensorflow.lite.gpu.GpuDelegateFactory

/**
 * LiteRT through `org.tensorflow.lite.Interpreter`.
 *
 * @property name `litert-cpu`, `litert-gpu` or `litert-gpu-fp16`.
 */
class LitertRuntime private constructor(override val name: String, private val gpu: Gpu?) :
    ModelRuntime {
    override val format = Format.TFLITE

    override fun load(file: ByteBuffer, threads: Int): SwapModel {
        var delegate: GpuDelegate? = null
        var interpreter: Interpreter? = null
        try {
            delegate = gpu?.delegate()
            val options = Interpreter.Options().apply { numThreads = threads }
            if (delegate == null) options.useXNNPACK = true else options.addDelegate(delegate)
            interpreter = Interpreter(file, options)
            return LitertModel(name, threads, interpreter, delegate)
        } catch (error: RuntimeException) {
            interpreter?.close()
            delegate?.close()
            throw refused(error)
        } catch (error: LinkageError) { // the native library is missing, or of another processor
            interpreter?.close()
            delegate?.close()
            throw refused(error)
        }
    }

    private fun refused(error: Throwable) = ModelException(
        "$name cannot run the model here (${error.message?.lineSequence()?.first()}). " +
            if (gpu == null) "Choose ONNX Runtime." else "Choose the CPU.",
        error
    )

    private class Gpu(val halves: Boolean, val cacheFolder: String?, val token: String?) {
        fun delegate(): GpuDelegate {
            val options = GpuDelegateFactory.Options().apply {
                isPrecisionLossAllowed = halves
                inferencePreference =
                    GpuDelegateFactory.Options.INFERENCE_PREFERENCE_SUSTAINED_SPEED
            }
            if (cacheFolder != null) options.setSerializationParams(cacheFolder, token)
            return GpuDelegate(options)
        }
    }

    companion object {
        /** On the CPU, by XNNPACK. */
        fun cpu(): LitertRuntime = LitertRuntime("litert-cpu", null)

        /**
         * On the GPU. One thread must load, run and close a model.
         *
         * @param halves compute in half precision: faster, and less exact.
         * @param cacheFolder keeps compiled programs for the next start.
         * @param token tells models apart in that folder: the file's SHA-256.
         */
        fun gpu(
            halves: Boolean,
            cacheFolder: String? = null,
            token: String? = null
        ): LitertRuntime {
            require((cacheFolder == null) == (token == null)) { "a cache wants a token as well" }
            val name = if (halves) "litert-gpu-fp16" else "litert-gpu"
            return LitertRuntime(name, Gpu(halves, cacheFolder, token))
        }
    }
}

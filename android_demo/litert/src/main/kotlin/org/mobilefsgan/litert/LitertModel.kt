package org.mobilefsgan.litert

import org.mobilefsgan.core.DType
import org.mobilefsgan.core.ModelException
import org.mobilefsgan.core.SwapModel
import org.mobilefsgan.core.Tensor
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor as LiteTensor
import org.tensorflow.lite.gpu.GpuDelegate

/**
 * A model in an interpreter. A file with a signature is called by the signature's names, which are
 * the manifest's; the detectors have none and are called by position.
 */
internal class LitertModel(
    override val backend: String,
    override val threads: Int,
    private val interpreter: Interpreter,
    private val delegate: GpuDelegate?
) : SwapModel {
    private val owner = Thread.currentThread()
    private val signature = interpreter.signatureKeys.singleOrNull()
    private var open = true

    override val inputs: List<Tensor> = signature?.let { key ->
        interpreter.getSignatureInputs(key).map { name ->
            tensor(name, interpreter.getInputTensorFromSignature(name, key))
        }
    } ?: List(interpreter.inputTensorCount) { i ->
        interpreter.getInputTensor(i).let { tensor(it.name(), it) }
    }

    override val outputs: List<Tensor> = signature?.let { key ->
        interpreter.getSignatureOutputs(key).map { name ->
            tensor(name, interpreter.getOutputTensorFromSignature(name, key))
        }
    } ?: List(interpreter.outputTensorCount) { i ->
        interpreter.getOutputTensor(i).let { tensor(it.name(), it) }
    }

    // Made once, so that a frame allocates nothing of ours.
    private val given: Array<Any> = Array(inputs.size) { inputs[it].data }
    private val wanted = HashMap<Int, Any>().apply {
        outputs.forEachIndexed { i, tensor -> put(i, tensor.data) }
    }
    private val givenByName = inputs.associateTo(HashMap<String, Any>()) { it.name to it.data }
    private val wantedByName = outputs.associateTo(HashMap<String, Any>()) { it.name to it.data }

    override fun run() {
        check(open) { "the model is closed" }
        checkThread()
        for (i in inputs.indices) inputs[i].data.clear()
        for (i in outputs.indices) outputs[i].data.clear()
        try {
            if (signature == null) {
                interpreter.runForMultipleInputsOutputs(given, wanted)
            } else {
                interpreter.runSignature(givenByName, wantedByName, signature)
            }
        } catch (error: RuntimeException) {
            throw ModelException(
                "$backend failed (${error.message?.lineSequence()?.first()}). " +
                    "Choose another backend.",
                error
            )
        }
    }

    override fun close() {
        if (!open) return
        checkThread()
        open = false
        interpreter.close()
        delegate?.close()
    }

    private fun checkThread() = check(delegate == null || Thread.currentThread() == owner) {
        "the GPU's model belongs to thread ${owner.name}, not ${Thread.currentThread().name}"
    }

    private fun tensor(name: String, of: LiteTensor): Tensor {
        val dtype = when (of.dataType()) {
            DataType.FLOAT32 -> DType.FLOAT32
            DataType.UINT8 -> DType.UINT8
            else -> null
        }
        return Tensor.of(name, of.shape(), dtype, of.dataType())
    }
}

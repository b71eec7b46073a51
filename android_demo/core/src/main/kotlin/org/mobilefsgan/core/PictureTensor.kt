package org.mobilefsgan.core

import kotlin.math.roundToInt

/**
 * Pictures to a tensor and back, driven only by its description in the manifest.
 *
 * @param spec shape, layout, type and range.
 * @param tensor of a loaded model.
 * @throws ModelException the file's tensor is another than the manifest's.
 */
class PictureTensor(spec: TensorSpec, private val tensor: Tensor) {
    /** Edge of the picture in pixels. */
    val edge: Int = spec.edge

    private val low = spec.range[0].toFloat()
    private val span = (spec.range[1] - spec.range[0]).toFloat()
    private val planar = spec.layout == Layout.NCHW
    private val bytes = if (spec.dtype == DType.UINT8) ByteArray(tensor.count) else ByteArray(0)
    private val floats = FloatArray(if (spec.dtype == DType.FLOAT32) tensor.count else 0)
    private val stored = FloatArray(LEVELS) { it / 255f * span + low }

    init {
        spec.check(tensor)
        if (spec.color != "RGB") throw ModelException("'${spec.name}' is no RGB picture.")
    }

    /** Hands [picture], of [edge] pixels, to the model. */
    fun write(picture: Picture) {
        require(picture.width == edge && picture.height == edge) {
            "the face is ${picture.width} x ${picture.height}; expected $edge x $edge"
        }
        val from = picture.rgb
        if (floats.isEmpty()) {
            for (i in 0 until picture.size) bytes[place(i)] = byteOf(stored[from.level(i)])
            tensor.data.clear()
            tensor.data.put(bytes)
        } else {
            for (i in 0 until picture.size) floats[place(i)] = stored[from.level(i)]
            tensor.write(floats)
        }
    }

    /**
     * Makes [into] the picture that the model gave, rounded and held within 0 to 255.
     *
     * @throws ModelException a value is not finite.
     */
    fun read(into: Picture) {
        into.reshape(edge, edge)
        val to = into.rgb
        val gain = 255f / span
        if (floats.isEmpty()) {
            tensor.data.clear()
            tensor.data.get(bytes)
            for (i in 0 until into.size) to[i] = toLevel((bytes.level(place(i)) - low) * gain)
            return
        }
        tensor.read(floats)
        var sum = 0f
        for (i in 0 until into.size) {
            val value = floats[place(i)]
            sum += value
            to[i] = toLevel((value - low) * gain)
        }
        if (sum.isNaN() || sum.isInfinite()) {
            throw ModelException("The model gave values that are not finite. Choose the CPU.")
        }
    }

    /** Copies the picture that the model gave as floats in [0, 1], RGB interleaved. */
    fun readUnit(into: FloatArray) {
        if (floats.isEmpty()) {
            tensor.data.clear()
            tensor.data.get(bytes)
            for (i in into.indices) into[i] = (bytes.level(place(i)) - low) / span
        } else {
            tensor.read(floats)
            for (i in into.indices) into[i] = (floats[place(i)] - low) / span
        }
    }

    /** Where number [i] of an interleaved picture lies in the tensor. */
    private fun place(i: Int): Int = if (planar) i % 3 * edge * edge + i / 3 else i

    private fun byteOf(value: Float) = value.roundToInt().coerceIn(0, 255).toByte()

    private companion object {
        const val LEVELS = 256
    }
}

/**
 * Refuses a file's tensor that is another than the manifest describes.
 *
 * @throws ModelException it is.
 */
fun TensorSpec.check(tensor: Tensor) {
    if (tensor.shape.toList() != shape || tensor.dtype != dtype) {
        throw ModelException(
            "'$name' is ${tensor.shape.toList()} ${tensor.dtype} in the file; the manifest " +
                "says $shape $dtype. Export the bundle again."
        )
    }
}

package org.mobilefsgan.core

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

/** What a model is for. */
@Serializable
enum class ModelKind {
    @SerialName("generator")
    GENERATOR,

    @SerialName("identity")
    IDENTITY
}

/** File format of a model. */
@Serializable
enum class Format {
    @SerialName("pt")
    PT,

    @SerialName("onnx")
    ONNX,

    @SerialName("tflite")
    TFLITE,

    @SerialName("mlpackage")
    MLPACKAGE
}

/**
 * Precision of a model file.
 *
 * @property word as manifests and result rows write it.
 */
@Serializable
enum class Precision(val word: String) {
    @SerialName("fp32")
    FP32("fp32"),

    @SerialName("fp16")
    FP16("fp16"),

    @SerialName("int8")
    INT8("int8"),

    @SerialName("dynamic")
    DYNAMIC("dynamic"),

    @SerialName("pal6")
    PAL6("pal6"),

    @SerialName("w8a8")
    W8A8("w8a8")
}

/** What the axes of a tensor mean; NC is a batch of vectors. */
@Serializable
enum class Layout { NCHW, NHWC, NC }

/** Type of a tensor's numbers. */
@Serializable
enum class DType {
    @SerialName("float32")
    FLOAT32,

    @SerialName("uint8")
    UINT8
}

/**
 * One input or output of a model, addressed by its name, never by its position.
 *
 * @property shape all axes, batch first.
 * @property range smallest and largest value, in the units of the stored numbers.
 * @property color channel order of a picture, null for vectors.
 */
@Serializable
data class TensorSpec(
    val name: String,
    val shape: List<Int>,
    val layout: Layout,
    val dtype: DType,
    val range: List<Double>,
    val color: String? = null
) {
    /** Edge of a picture in pixels. */
    val edge: Int get() = shape[2]
}

/** One model file of a bundle. */
@Serializable
data class ModelSpec(
    val model: ModelKind,
    val file: String,
    val format: Format,
    val precision: Precision,
    val sha256: String,
    val bytes: Long,
    val inputs: List<TensorSpec>,
    val outputs: List<TensorSpec>
)

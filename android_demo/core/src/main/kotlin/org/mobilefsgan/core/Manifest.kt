package org.mobilefsgan.core

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** A bundle that is damaged, or that this version does not know. The message is for the user. */
class BundleException(message: String, cause: Throwable? = null) : Exception(message, cause)

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

/** Where a face must lie before the models see it: five points in a square of `size` pixels. */
@Serializable
data class Align(val size: Int, val template: List<List<Double>>) {
    /** The points as x and y in turn, for a face of [edge] pixels. */
    fun points(edge: Int): DoubleArray = template.flatten().map { it * edge / size }.toDoubleArray()
}

/** What the identity encoder crops out of an aligned face, in pixels. */
@Serializable
data class IdentityCrop(val start: Int, val stop: Int, val size: Int)

/** `manifest.json`: everything an app has to know about a bundle. */
@Serializable
data class Manifest(
    val schema: Int,
    val name: String,
    val version: String,
    val align: Align,
    val identity: IdentityCrop,
    val models: List<ModelSpec>,
    val notice: String
) {
    /**
     * The plain model file of that kind.
     *
     * @throws BundleException the bundle has none.
     */
    fun find(model: ModelKind, format: Format, precision: Precision): ModelSpec =
        models.find { it.file == fileName(model, format, precision) } ?: throw BundleException(
            "The bundle has no ${fileName(model, format, precision)}; it holds " +
                "${models.joinToString { it.file }}. Export it again with that precision."
        )

    private fun fileName(model: ModelKind, format: Format, precision: Precision) =
        "${model.name.lowercase()}-${precision.word}.${format.name.lowercase()}"

    companion object {
        /** The schema that this version reads. */
        const val SCHEMA = 1

        /**
         * Reads the text of `manifest.json`; unknown keys are ignored.
         *
         * @throws BundleException not JSON, an unknown schema, a missing key, a value of the wrong
         *   type, or a file name that leads out of the bundle.
         */
        fun read(text: String): Manifest {
            val data = parse("The manifest") { lenient.parseToJsonElement(text) }
            val schema = (data as? JsonObject)?.get("schema")
            if (schema !is JsonPrimitive || schema.isString || schema.content != "$SCHEMA") {
                throw BundleException(
                    "The manifest has schema $schema; this app reads schema $SCHEMA. " +
                        "Export the bundle again, or update the app."
                )
            }
            val manifest = parse("The manifest") {
                lenient.decodeFromJsonElement(serializer(), data)
            }
            manifest.models.forEach(::check)
            if (manifest.align.size < 1 || manifest.align.template.any { it.size != 2 }) {
                throw BundleException("The template is damaged. Export the bundle again.")
            }
            return manifest
        }

        private val lenient = Json { ignoreUnknownKeys = true }

        private fun check(spec: ModelSpec) {
            val plain = spec.file.none { it == '/' || it == '\\' || it.isISOControl() }
            if (!plain || spec.file.isEmpty() || spec.file.startsWith('.')) {
                throw BundleException("The manifest names '${spec.file}', no plain file name.")
            }
            for (tensor in spec.inputs + spec.outputs) {
                if (tensor.shape.size != tensor.layout.name.length || tensor.range.size != 2 ||
                    tensor.shape.any { it !in 1..LONGEST_AXIS }
                ) {
                    throw BundleException(
                        "The manifest gives '${tensor.name}' of ${spec.file} the shape " +
                            "${tensor.shape} and the range ${tensor.range}, which no tensor of a " +
                            "bundle has. Export the bundle again."
                    )
                }
            }
        }

        private const val LONGEST_AXIS = 1 shl 13
    }
}

/** Runs [read]; what kotlinx.serialization raises becomes words. */
internal fun <T> parse(what: String, read: () -> T): T = try {
    read()
} catch (error: SerializationException) {
    throw BundleException("$what is damaged: ${error.message?.lineSequence()?.first()}", error)
} catch (error: IllegalArgumentException) {
    throw BundleException("$what is damaged: ${error.message?.lineSequence()?.first()}", error)
}

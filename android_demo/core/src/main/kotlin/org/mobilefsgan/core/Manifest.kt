package org.mobilefsgan.core

import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** A bundle that is damaged, or that this version does not know. The message is for the user. */
class BundleException(message: String, cause: Throwable? = null) : Exception(message, cause)

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

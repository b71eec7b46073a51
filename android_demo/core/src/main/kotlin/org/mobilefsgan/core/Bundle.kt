package org.mobilefsgan.core

import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json

/** Where the files of a bundle lie: Android's AssetManager, or a folder. */
fun interface Assets {
    /**
     * Opens a file.
     *
     * @param path relative to the bundle, with `/` between its parts.
     * @throws IOException there is none, or it cannot be read.
     */
    fun open(path: String): InputStream
}

/** The files of a folder. */
class FolderAssets(private val folder: File) : Assets {
    override fun open(path: String): InputStream = File(folder, path).inputStream()
}

/**
 * A bundle: manifest, models, detectors and golden samples. What is loaded was held against the
 * size and the SHA-256 that the manifest or the index gives.
 */
class Bundle(private val assets: Assets) {
    /** What the bundle says of itself. */
    val manifest: Manifest = Manifest.read(text(MANIFEST))

    private val detectors: Index by lazy {
        parse(DETECTORS) { json.decodeFromString(Index.serializer(), text(DETECTORS)) }.also {
            if (it.schema != Manifest.SCHEMA) {
                throw BundleException(
                    "$DETECTORS has schema ${it.schema}; this app reads schema " +
                        "${Manifest.SCHEMA}. Export the bundle again, or update the app."
                )
            }
        }
    }

    /**
     * A model file, in a direct buffer of native byte order.
     *
     * @throws BundleException it is missing, or not the file that the manifest describes.
     */
    fun model(spec: ModelSpec): ByteBuffer = checked(spec.file, spec.bytes, spec.sha256)

    /**
     * A detector's file: `near`, `far` or `mesh`.
     *
     * @throws BundleException as [model].
     */
    fun detector(name: String): ByteBuffer {
        val entry = detectors.files.find { it.name == name }
            ?: throw BundleException("$DETECTORS has no '$name'. Export the bundle again.")
        return checked("detectors/${entry.file}", entry.bytes, entry.sha256)
    }

    /**
     * The identity encoder in the highest precision that the bundle has: it runs once a source.
     *
     * @throws BundleException there is none.
     */
    fun identityEncoder(format: Format): ModelSpec {
        val found = manifest.models.filter {
            it.model == ModelKind.IDENTITY && it.format == format
        }
        return found.minByOrNull { it.precision }
            ?: manifest.find(ModelKind.IDENTITY, format, Precision.FP32)
    }

    /** Precisions of the generator in a format, the highest first. */
    fun precisions(format: Format): List<Precision> = manifest.models
        .filter { it.model == ModelKind.GENERATOR && it.format == format && it.inputs.size == 2 }
        .map { it.precision }.distinct().sorted()

    /** All of a small file, such as one of the golden samples. */
    internal fun bytes(path: String): ByteArray = try {
        assets.open(path).use { it.readBytes() }
    } catch (error: FileNotFoundException) {
        throw BundleException("The bundle has no $path. Export it again.", error)
    } catch (error: IOException) {
        throw BundleException("$path cannot be read (${error.message}). Copy it again.", error)
    }

    /** All of a small text file. */
    internal fun text(path: String): String = bytes(path).toString(Charsets.UTF_8)

    private fun checked(path: String, bytes: Long, sha256: String): ByteBuffer {
        val content = bytes(path)
        val digest = MessageDigest.getInstance("SHA-256").digest(content)
        val hex = digest.joinToString("") { "%02x".format(it) }
        if (content.size.toLong() != bytes || !hex.equals(sha256, ignoreCase = true)) {
            throw BundleException(
                "$path is not the file that the bundle describes; it was damaged or exchanged. " +
                    "Install the app again, or export the bundle again."
            )
        }
        val buffer = ByteBuffer.allocateDirect(content.size).order(ByteOrder.nativeOrder())
        buffer.put(content).rewind()
        return buffer
    }

    @Serializable
    private class Index(val schema: Int, val files: List<Entry>)

    @Serializable
    private class Entry(val name: String, val file: String, val bytes: Long, val sha256: String)

    private companion object {
        const val MANIFEST = "manifest.json"
        const val DETECTORS = "detectors/index.json"
        val json = Json { ignoreUnknownKeys = true }
    }
}

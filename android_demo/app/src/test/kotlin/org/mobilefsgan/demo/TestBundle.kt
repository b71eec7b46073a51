package org.mobilefsgan.demo

import java.io.File
import java.nio.ByteBuffer
import java.security.MessageDigest
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.mobilefsgan.core.DType
import org.mobilefsgan.core.Format
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.SwapModel
import org.mobilefsgan.core.Tensor

private const val EDGE = 256
private const val EMBEDDING = 512

/** A small bundle in [folder], whole until a test changes it. Only [FakeRuntime] takes its models. */
class TestBundle(
    private val folder: File,
    name: String = "example",
    precisions: List<String> = listOf("fp32", "int8")
) {
    init {
        val models = precisions.map { described("generator-$it.tflite", it) }
        val ours = mapOf("name" to text(name), "models" to JsonArray(models))
        write("manifest.json", JsonObject(good + ours))
        val files = FakeRuntime.DETECTORS.map { (detector, bytes) ->
            write("detectors/$detector.tflite", bytes)
            entry(bytes) + mapOf("name" to text(detector), "file" to text("$detector.tflite"))
        }
        write("detectors/index.json", json("schema" to 1, "files" to files.map(::JsonObject)))
        val sample = listOf(
            golden("target", "uint8", ByteArray(3 * EDGE * EDGE), listOf(1, EDGE, EDGE, 3)),
            golden("embedding", "float32", ByteArray(4 * EMBEDDING), listOf(1, EMBEDDING)),
            golden("image", "float32", ByteArray(12 * EDGE * EDGE), listOf(1, EDGE, EDGE, 3))
        )
        write("golden/index.json", json("samples" to listOf(JsonObject(sample.toMap()))))
    }

    /** Changes one bit of a file's last byte. */
    fun damage(path: String) {
        val file = File(folder, path)
        val bytes = file.readBytes()
        bytes[bytes.size - 1] = (bytes.last().toInt() xor 1).toByte()
        file.writeBytes(bytes)
    }

    fun rewrite(path: String, change: (String) -> String) =
        File(folder, path).let { it.writeText(change(it.readText())) }

    private fun described(file: String, precision: String): JsonObject {
        val content = FakeRuntime.GENERATOR + precision.toByteArray()
        write(file, content)
        val model = good.getValue("models").jsonArray[0].jsonObject
        return JsonObject(
            model + entry(content) + mapOf("file" to text(file), "precision" to text(precision))
        )
    }

    private fun golden(
        name: String,
        dtype: String,
        bytes: ByteArray,
        shape: List<Int>
    ): Pair<String, JsonObject> {
        write("golden/$name.bin", bytes)
        return name to json("file" to "$name.bin", "dtype" to dtype, "shape" to shape)
    }

    private fun entry(bytes: ByteArray): Map<String, JsonPrimitive> {
        val digest = MessageDigest.getInstance("SHA-256").digest(bytes)
        val sha256 = digest.joinToString("") { "%02x".format(it) }
        return mapOf("bytes" to JsonPrimitive(bytes.size), "sha256" to text(sha256))
    }

    private fun write(path: String, content: JsonObject) =
        write(path, content.toString().toByteArray())

    private fun write(path: String, content: ByteArray) =
        File(folder, path).apply { parentFile!!.mkdirs() }.writeBytes(content)

    private companion object {
        /** The good manifest of the test vectors. */
        val good: JsonObject by lazy {
            val file = File(System.getProperty("mobilefsgan.vectors"), "manifests.json")
            val cases = Json.parseToJsonElement(file.readText()).jsonObject.getValue("cases")
            val case = cases.jsonArray.map { it.jsonObject }
                .first { it.getValue("name").jsonPrimitive.content == "good" }
            Json.parseToJsonElement(case.getValue("text").jsonPrimitive.content).jsonObject
        }

        fun text(value: String) = JsonPrimitive(value)

        fun json(vararg values: Pair<String, Any>): JsonObject = JsonObject(
            values.associate { (key, value) -> key to element(value) }
        )

        fun element(value: Any): JsonElement = when (value) {
            is JsonObject -> value
            is Number -> JsonPrimitive(value)
            is List<*> -> JsonArray(value.map { element(it!!) })
            else -> text(value.toString())
        }
    }
}

/**
 * Takes the models of a [TestBundle], whose generator gives back the target.
 *
 * @param off what it adds, which lowers the PSNR of the self-test.
 */
class FakeRuntime(private val off: Float = 0f) : ModelRuntime {
    override val name = "fake-cpu"
    override val format = Format.TFLITE

    /** Opened less closed. */
    val open = AtomicInteger()

    /** The ends of the files that were loaded, which tell them apart. */
    val loaded = mutableListOf<String>()

    override fun load(file: ByteBuffer, threads: Int): SwapModel {
        val content = ByteArray(file.capacity()).also { file.duplicate().get(it) }.decodeToString()
        loaded += content
        open.incrementAndGet()
        return when (content) {
            "near" -> model(threads, 128, intArrayOf(1, 896, 16), intArrayOf(1, 896, 1))
            "far" -> model(threads, 192, intArrayOf(1, 2304, 16), intArrayOf(1, 2304, 1))
            "mesh" -> model(threads, 192, intArrayOf(1, 1, 1, 1404), intArrayOf(1, 1, 1, 1))
            else -> FakeModel(
                threads,
                listOf(tensor("target", 1, EDGE, EDGE, 3), tensor("embedding", 1, EMBEDDING)),
                listOf(tensor("image", 1, EDGE, EDGE, 3))
            )
        }
    }

    private fun model(threads: Int, edge: Int, large: IntArray, small: IntArray) = FakeModel(
        threads,
        listOf(tensor("input", 1, edge, edge, 3)),
        listOf(tensor("large", *large), tensor("small", *small))
    )

    private fun tensor(name: String, vararg shape: Int) =
        Tensor.of(name, shape, DType.FLOAT32, DType.FLOAT32)

    private inner class FakeModel(
        override val threads: Int,
        override val inputs: List<Tensor>,
        override val outputs: List<Tensor>
    ) : SwapModel {
        override val backend = name

        override fun run() {
            if (inputs.size < 2) return
            for (i in 0 until inputs[0].count) outputs[0].floats.put(i, inputs[0].floats[i] + off)
        }

        override fun close() {
            open.decrementAndGet()
        }
    }

    companion object {
        val DETECTORS = listOf("near", "far", "mesh").associateWith { it.toByteArray() }
        val GENERATOR = "generator ".toByteArray()
    }
}

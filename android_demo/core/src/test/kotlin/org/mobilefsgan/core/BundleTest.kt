package org.mobilefsgan.core

import java.io.File
import java.security.MessageDigest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class BundleTest {
    @TempDir
    lateinit var folder: File

    private val model = byteArrayOf(1, 2, 3)
    private val good = Vectors("manifests").cases.first { it.text("name") == "good" }.text("text")

    private fun write(path: String, content: ByteArray) =
        File(folder, path).apply { parentFile.mkdirs() }.writeBytes(content)

    private fun bundle(): Bundle {
        val text = good.replace("0".repeat(64), sha(model)).replace("7910000", "3")
        write("manifest.json", text.toByteArray())
        write("generator-fp32.tflite", model)
        return Bundle(FolderAssets(folder))
    }

    private fun sha(content: ByteArray) = MessageDigest.getInstance("SHA-256").digest(content)
        .joinToString("") { "%02x".format(it) }

    @Test
    fun `a model is read where size and hash are right`() {
        val bundle = bundle()
        val read = bundle.model(bundle.manifest.models[0])
        assertEquals(3, read.remaining())
        assertEquals(listOf(Precision.FP32), bundle.precisions(Format.TFLITE))
    }

    @Test
    fun `a model that was exchanged or is missing is refused in words`() {
        val bundle = bundle()
        write("generator-fp32.tflite", byteArrayOf(1, 2, 4))
        val error = assertThrows(BundleException::class.java) {
            bundle.model(bundle.manifest.models[0])
        }
        assertTrue("damaged or exchanged" in error.message!!, error.message)
        File(folder, "generator-fp32.tflite").delete()
        assertThrows(BundleException::class.java) { bundle.model(bundle.manifest.models[0]) }
    }

    @Test
    fun `what the bundle lacks is said with what it has`() {
        val error = assertThrows(BundleException::class.java) {
            bundle().manifest.find(ModelKind.GENERATOR, Format.ONNX, Precision.INT8)
        }
        assertTrue("generator-int8.onnx" in error.message!!, error.message)
        assertTrue("generator-fp32.tflite" in error.message!!, error.message)
    }

    @Test
    fun `detectors come from their index`() {
        val bundle = bundle()
        val entry = """{"name":"near","file":"near.tflite","bytes":3,"sha256":"${sha(model)}"}"""
        write("detectors/index.json", """{"schema":1,"files":[$entry]}""".toByteArray())
        write("detectors/near.tflite", model)
        assertEquals(3, bundle.detector("near").remaining())
        assertThrows(BundleException::class.java) { bundle.detector("mesh") }
    }

    @Test
    fun `an index of another schema is refused`() {
        val bundle = bundle()
        write("detectors/index.json", """{"schema":2,"files":[]}""".toByteArray())
        val error = assertThrows(BundleException::class.java) { bundle.detector("near") }
        assertTrue("schema 2" in error.message!!, error.message)
    }

    @Test
    fun `golden samples of a wrong size are refused`() {
        val bundle = bundle()
        val entry = { name: String, type: String, shape: String ->
            """"$name":{"file":"$name.bin","dtype":"$type","shape":$shape}"""
        }
        val sample = listOf(
            entry("target", "uint8", "[1,2,2,3]"),
            entry("embedding", "float32", "[1,4]"),
            entry("image", "float32", "[1,2,2,3]")
        ).joinToString(",")
        write("golden/index.json", """{"samples":[{$sample}]}""".toByteArray())
        write("golden/target.bin", ByteArray(12))
        write("golden/embedding.bin", ByteArray(16))
        write("golden/image.bin", ByteArray(48))
        assertEquals(12, Golden.read(bundle).single().image.size)
        write("golden/image.bin", ByteArray(47))
        assertThrows(BundleException::class.java) { Golden.read(bundle) }
    }
}

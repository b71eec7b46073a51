package org.mobilefsgan.demo

import android.app.Application
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.demo.camera.Camera2Source
import org.mobilefsgan.demo.camera.FrameSource
import org.mobilefsgan.litert.LitertRuntime

/** What the activities are given. Tests replace it by one with fakes. */
open class DemoApp : Application() {
    /** Loads what the bundles in the assets hold. */
    open val engines: Engines by lazy { BundleEngines(bundles(), runtimes()) }

    /** Frames of this device's cameras. */
    open fun frames(): FrameSource = Camera2Source(this)

    /** The folders `bundle`, `bundle-lite` and so on; without any the first error names it. */
    private fun bundles() = assets.list("").orEmpty()
        .map { it.substringBefore('/') } // Robolectric lists files; Android lists their folders
        .filter { it.startsWith(BUNDLE) }.distinct().sorted().ifEmpty { listOf(BUNDLE) }
        .associateWith { BundleFolder(assets, it) }

    private fun runtimes(): Map<Backend, RuntimeOf> {
        val cache = codeCacheDir.path
        val runtimes = LinkedHashMap<Backend, RuntimeOf>()
        runtimes[Backend.CPU] = { LitertRuntime.cpu() }
        runtimes[Backend.GPU] = { sha256 -> LitertRuntime.gpu(false, cache, sha256) }
        runtimes[Backend.GPU_FP16] = { sha256 -> LitertRuntime.gpu(true, cache, "$sha256-fp16") }
        onnxRuntime()?.let { made -> runtimes[Backend.ONNX] = { made() } }
        return runtimes
    }

    private companion object {
        const val BUNDLE = "bundle"
    }
}

/** Makes ONNX Runtime where the build has it, else null; the APK that Maven makes has not. */
internal fun onnxRuntime(
    classes: ClassLoader? = DemoApp::class.java.classLoader
): (() -> ModelRuntime)? {
    val type = try {
        Class.forName("org.mobilefsgan.onnx.OnnxRuntime", true, classes)
    } catch (error: ClassNotFoundException) {
        return null
    }
    val made = type.asSubclass(ModelRuntime::class.java).getDeclaredConstructor()
    return { made.newInstance() }
}

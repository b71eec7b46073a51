package org.mobilefsgan.demo

import android.app.Application
import java.lang.reflect.Constructor
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.demo.camera.Camera2Source
import org.mobilefsgan.demo.camera.FrameSource
import org.mobilefsgan.litert.LitertRuntime

/** What the activities are given. Tests replace it by one with fakes. */
open class DemoApp : Application() {
    /** Loads what the bundle in the assets holds. */
    open val engines: Engines by lazy { BundleEngines(BundleFolder(assets), runtimes()) }

    /** Frames of this device's cameras. */
    open fun frames(): FrameSource = Camera2Source(this)

    private fun runtimes(): Map<Backend, RuntimeOf> {
        val cache = codeCacheDir.path
        val runtimes = LinkedHashMap<Backend, RuntimeOf>()
        runtimes[Backend.CPU] = { LitertRuntime.cpu() }
        runtimes[Backend.GPU] = { sha256 -> LitertRuntime.gpu(false, cache, sha256) }
        runtimes[Backend.GPU_FP16] = { sha256 -> LitertRuntime.gpu(true, cache, "$sha256-fp16") }
        onnxRuntime()?.let { type -> runtimes[Backend.ONNX] = { type.newInstance() } }
        return runtimes
    }

    /** ONNX Runtime where the build has it; the APK that Maven makes has not. */
    private fun onnxRuntime(): Constructor<out ModelRuntime>? = try {
        Class.forName("org.mobilefsgan.onnx.OnnxRuntime").asSubclass(ModelRuntime::class.java)
            .getDeclaredConstructor()
    } catch (error: ClassNotFoundException) {
        null
    }
}

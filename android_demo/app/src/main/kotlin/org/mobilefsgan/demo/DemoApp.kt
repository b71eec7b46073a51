package org.mobilefsgan.demo

import android.app.Application
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
        return mapOf(
            Backend.CPU to { _ -> LitertRuntime.cpu() },
            Backend.GPU to { sha256 -> LitertRuntime.gpu(false, cache, sha256) },
            Backend.GPU_FP16 to { sha256 -> LitertRuntime.gpu(true, cache, "$sha256-fp16") },
        ) + onnxRuntime()
    }

    /** ONNX Runtime where the build has it; the APK that Maven makes has not. */
    private fun onnxRuntime(): Map<Backend, RuntimeOf> = try {
        val runtime = Class.forName("org.mobilefsgan.onnx.OnnxRuntime")
        mapOf(Backend.ONNX to { _ -> runtime.getDeclaredConstructor().newInstance() as ModelRuntime })
    } catch (error: ClassNotFoundException) {
        emptyMap()
    }
}

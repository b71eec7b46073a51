package org.mobilefsgan.demo

import android.app.Application
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.demo.camera.Camera2Source
import org.mobilefsgan.demo.camera.FrameSource

/** What the activities are given. Tests replace it by one with fakes. */
open class DemoApp : Application() {
    /** Loads what the bundle in the assets holds. */
    open val engines: Engines by lazy { BundleEngines(BundleFolder(assets), runtimes) }

    private val runtimes: Map<Backend, ModelRuntime> = emptyMap()

    /** Frames of this device's cameras. */
    open fun frames(): FrameSource = Camera2Source(this)
}

package org.mobilefsgan.demo

import android.app.Activity
import android.content.Context
import android.graphics.Bitmap
import android.net.Uri
import android.os.Looper
import android.view.View
import java.io.ByteArrayOutputStream
import java.io.File
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import org.junit.Assert.fail
import org.mobilefsgan.core.Format
import org.mobilefsgan.core.ModelKind
import org.mobilefsgan.core.ModelSpec
import org.mobilefsgan.core.Picture
import org.mobilefsgan.core.Precision
import org.mobilefsgan.core.SelfTest
import org.mobilefsgan.demo.camera.FrameSource
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

/** One of the two public-domain portraits of `tests/vectors`. */
enum class Portrait {
    HOPPER,
    COLLINS;

    fun before(): Picture = read("portrait")

    /** Swapped by the Python pipeline. */
    fun after(): Picture = read("portrait-final")

    private fun read(kind: String): Picture {
        val file = File(System.getProperty("mobilefsgan.vectors"), "$kind-${name.lowercase()}.u8")
        return Picture.of(file.readBytes(), 320, 320)
    }
}

private val SPEC = ModelSpec(
    ModelKind.GENERATOR, "generator-int8.tflite", Format.TFLITE, Precision.INT8,
    "0".repeat(64), 2_112_120,
    emptyList(), emptyList()
)

/** Engines that know the two portraits, and whatever a test sets. */
class FakeEngines : Engines {
    /** Opened less closed; 0 at the end of a test. */
    val open = AtomicInteger()
    val loaded = mutableListOf<Choice>()
    var broken: (Choice) -> String? = { null }
    var damaged: String? = null
    var bundles = mapOf("bundle" to "mobilefsgan 0.1.0")
    var psnrDb: (Choice) -> Double = { 47.1 }
    var selfTests = 0
    var face = true

    override fun offers(): List<Offer> {
        damaged?.let { throw EngineError(it) }
        return bundles.map { (folder, name) ->
            Offer(folder, name, Backend.entries.associateWith { listOf("fp32", "int8") })
        }
    }

    override fun load(choice: Choice): Engine {
        loaded += choice
        broken(choice)?.let { throw EngineError(it) }
        open.incrementAndGet()
        return FakeEngine(choice)
    }

    private inner class FakeEngine(choice: Choice) : Engine {
        override val ran = Ran(choice, SPEC, "litert-cpu", 12.0)
        private val mine = Thread.currentThread()
        private var closed = false

        private fun check() {
            check(!closed) { "used after it was closed" }
            check(Thread.currentThread() == mine) { "used on another thread" }
        }

        override fun embeddingOf(source: Picture): FloatArray? {
            check()
            return if (face) FloatArray(512) else null
        }

        override fun swap(target: Picture, embedding: FloatArray, live: Boolean): Outcome {
            check()
            val times = Times(6.2, 1.4, 31.0, 2.9)
            if (!face) return Outcome(0, times)
            Portrait.entries.firstOrNull {
                it.before().rgb.contentEquals(target.rgb)
            }?.let { target.set(it.after()) }
            return Outcome(1, times)
        }

        override fun selfTest(): SelfTest {
            check()
            selfTests++
            return SelfTest(psnrDb(ran.choice), 0.01, 35.0)
        }

        override fun measuredFrame(): Times {
            check()
            return Times(6.2, 1.4, 31.0, 2.9)
        }

        override fun close() {
            check()
            closed = true
            open.decrementAndGet()
        }
    }
}

/** A camera whose frames a test makes. */
class FakeCamera : FrameSource {
    var running = false
    var front: Boolean? = null
    private var frames: (Picture) -> Unit = {}
    private var changed: (CameraState) -> Unit = {}

    override fun start(
        front: Boolean,
        turnedDeg: Int,
        frames: (Picture) -> Unit,
        changed: (CameraState) -> Unit
    ) {
        this.front = front
        this.frames = frames
        this.changed = changed
        running = true
    }

    override fun stop() {
        running = false
    }

    fun frame(picture: Picture) = frames.invoke(picture)

    fun become(state: CameraState) = changed.invoke(state)
}

/** The app with fakes. */
class TestApp : DemoApp() {
    override val engines = FakeEngines()
    val camera = FakeCamera()

    override fun frames(): FrameSource = camera
}

/** Runs the main thread until [done]; background threads go on meanwhile. */
fun waitUntil(what: String, done: () -> Boolean) {
    val ends = System.nanoTime() + TimeUnit.SECONDS.toNanos(20)
    while (System.nanoTime() < ends) {
        shadowOf(Looper.getMainLooper()).idle()
        if (done()) return
        Thread.sleep(5)
    }
    fail("waited for 20 s until $what")
}

/** The address of a picture in a gallery. */
fun pictureUri(context: Context, portrait: Portrait): Uri {
    val uri = Uri.parse("content://gallery/$portrait")
    val bytes = ByteArrayOutputStream()
    portrait.before().toBitmap().compress(Bitmap.CompressFormat.PNG, 100, bytes)
    shadowOf(context.contentResolver).registerInputStreamSupplier(uri) {
        bytes.toByteArray().inputStream()
    }
    return uri
}

fun <T : View> ActivityController<out Activity>.find(id: Int): T = get().findViewById<T>(id)!!

package org.mobilefsgan.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.os.SystemClock
import android.view.MotionEvent
import android.view.View
import java.io.File
import java.time.Duration
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.mobilefsgan.demo.view.FrameView
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** Pictures of every screen, drawn by Android's own code, below `target/screenshots`. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class ScreenshotTest {
    @get:Rule
    val its = AppRule()
    private val app get() = its.app
    private val at get() = its.at
    private val model get() = its.activity.model

    private fun shoot(name: String, activity: Activity = at.get()) {
        // A frame that lays views out, then one that ends their animations.
        repeat(2) { shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(1)) }
        val root: View = activity.window.decorView
        root.jumpDrawablesToCurrentState()
        val picture = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
        root.draw(Canvas(picture))
        val folder = File(System.getProperty("screenshots")!!).apply { mkdirs() }
        folder.resolve("$name.png").outputStream().use {
            picture.compress(Bitmap.CompressFormat.PNG, 100, it)
        }
    }

    @Test
    fun firstStart() {
        its.started()
        shoot("first-start")
    }

    @Test
    fun liveSwap() = live("live")

    @Test
    @Config(qualifiers = "+night")
    fun liveSwapInTheDark() = live("live-dark")

    @Test
    @Config(qualifiers = "+de")
    fun liveSwapInGerman() = live("live-german")

    @Test
    @Config(qualifiers = "+ko")
    fun liveSwapInKorean() = live("live-korean")

    @Test
    @Config(qualifiers = "+land")
    fun liveSwapTurned() = live("live-turned")

    private fun live(name: String) {
        its.started()
        its.source()
        repeat(3) {
            its.frame()
            Thread.sleep(20)
        }
        shoot(name)
    }

    @Test
    fun photoBeforeAndAfter() {
        its.photo()
        shoot("photo-after")
        val now = SystemClock.uptimeMillis()
        val down = MotionEvent.obtain(now, now, MotionEvent.ACTION_DOWN, 9f, 9f, 0)
        at.find<FrameView>(R.id.frame).dispatchTouchEvent(down)
        shoot("photo-before")
    }

    @Test
    fun settings() {
        its.started()
        val screen = Robolectric.buildActivity(SettingsActivity::class.java, Intent()).setup()
        shoot("settings", screen.get())
        screen.pause().stop().destroy()
    }

    @Test
    fun selfTestFailed() {
        Settings(app).choice = Choice(backend = Backend.GPU)
        app.engines.psnrDb = { if (it.backend == Backend.GPU) 12.0 else 47.1 }
        its.started()
        shoot("self-test-failed")
    }

    @Test
    fun noFace() {
        its.started()
        its.source()
        app.engines.face = false
        app.camera.frame(Portrait.HOPPER.before())
        waitUntil("it is said") { model.state.faces == 0 }
        shoot("no-face")
    }

    @Test
    fun damagedModel() {
        app.engines.broken =
            {
                "generator-int8.tflite is not the file that the bundle describes. Install the app again."
            }
        its.created().setup()
        waitUntil("it failed") { model.state.engine is EngineState.Failed }
        shoot("damaged")
    }
}

package org.mobilefsgan.demo

import android.Manifest
import android.content.ComponentCallbacks2
import android.content.pm.PackageManager
import android.os.Bundle
import android.view.View
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class MainActivityTest {
    @get:Rule
    val its = AppRule()
    private val app get() = its.app
    private val at get() = its.at
    private val state get() = its.state

    private fun words() = at.find<TextView>(R.id.words).text.toString()

    private fun notice() = at.find<TextView>(R.id.notice).text.toString()

    private fun overlay() = at.find<TextView>(R.id.overlay)

    @Test
    fun firstStartLoadsTestsAndAsksForASource() {
        its.started()
        assertEquals(1, app.engines.selfTests)
        assertTrue(words(), words().startsWith("Choose a source face"))
        assertEquals("Self-test 47.1 dB on CPU", notice())
        assertTrue(app.camera.running)
    }

    @Test
    fun liveFrameIsSwappedAndSaysWhatRan() {
        its.live()
        assertEquals(View.GONE, at.find<View>(R.id.message).visibility)
        assertTrue(overlay().text.toString(), overlay().text.contains("CPU · int8"))
        assertTrue(overlay().text.contains("generate 31"))
    }

    @Test
    fun turningTheDeviceKeepsEngineSourceAndMode() {
        its.live()
        val model = at.get().model
        RuntimeEnvironment.setQualifiers("+land")
        at.configurationChange(app.resources.configuration)
        assertTrue(at.get().model === model)
        assertEquals(1, app.engines.loaded.size)
        assertTrue("the camera starts again", app.camera.running)
        its.frame()
    }

    @Test
    fun deniedCameraIsSaidAndPhotosStillWork() {
        shadowOf(app).denyPermissions(Manifest.permission.CAMERA)
        its.started()
        at.get().model.pickSource(its.shared(Portrait.COLLINS))
        at.get().onRequestPermissionsResult(
            3, arrayOf(Manifest.permission.CAMERA), intArrayOf(PackageManager.PERMISSION_DENIED)
        )
        waitUntil("the source is known") { state.source != null }
        assertTrue(words(), words().startsWith("The camera is not allowed"))
        at.get().model.openPhoto(its.shared(Portrait.HOPPER))
        waitUntil("the photo is swapped") { state.shown?.after != null }
        assertEquals(Mode.PHOTO, state.mode)
    }

    @Test
    fun lostCameraIsSaidAndComesBack() {
        its.live()
        app.camera.become(CameraState.LOST)
        waitUntil("it is said") { words().startsWith("Another app uses the camera") }
        its.frame()
        waitUntil("frames run again") { state.camera == CameraState.RUNNING }
        assertNull(cardOf(state))
    }

    @Test
    fun lowMemoryInTheBackgroundUnloadsAndTheNextStartLoadsAgain() {
        its.live()
        at.pause().stop()
        @Suppress("DEPRECATION")
        at.get().onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_COMPLETE)
        waitUntil("the engine is closed") { app.engines.open.get() == 0 }
        at.restart().start().resume()
        waitUntil("the engine is ready") { state.engine is EngineState.Ready }
        waitUntil("the source is known again") { state.source != null }
        assertEquals("the self-test ran once on this device", 1, app.engines.selfTests)
        its.frame()
    }

    @Test
    fun damagedFileIsRefusedInWordsAndCanBeTriedAgain() {
        app.engines.broken = { "generator-int8.tflite has another SHA-256 than the manifest says." }
        its.created().setup()
        waitUntil("it failed") { state.engine is EngineState.Failed }
        assertTrue(words(), words().contains("another SHA-256"))
        app.engines.broken = { null }
        at.find<View>(R.id.act).performClick()
        waitUntil("the engine is ready") { state.engine is EngineState.Ready }
    }

    @Test
    fun endOfTheProcessIsSurvived() {
        its.started()
        its.source()
        at.get().model.openPhoto(its.shared(Portrait.HOPPER))
        waitUntil("the photo is swapped") { state.shown?.after != null }
        val saved = Bundle()
        at.pause().stop().saveInstanceState(saved).destroy()
        its.created().setup(saved)
        waitUntil("the photo is swapped again") { state.shown?.after != null }
        assertEquals(Mode.PHOTO, state.mode)
    }

    @Test
    fun aFreshStartForgetsTheFacesOfTheLastOne() {
        its.live()
        at.pause().stop().destroy()
        its.started()
        assertNull(state.source)
        assertFalse(app.filesDir.resolve("kept").exists())
    }

    @Test
    fun gpuThatMissesTheSelfTestIsReplacedInWords() {
        Settings(app).choice = Choice(backend = Backend.GPU)
        app.engines.psnrDb = { if (it.backend == Backend.GPU) 12.0 else 47.1 }
        its.started()
        assertEquals("GPU missed the self-test (12.0 dB, expected 35), so CPU is used.", notice())
        assertEquals(Backend.CPU, (state.engine as EngineState.Ready).ran.choice.backend)
        assertEquals("the GPU's engine is closed", 1, app.engines.open.get())
    }

    @Test
    fun aStartThatDiedUsesTheCpuThisTime() {
        Settings(app).choice = Choice(backend = Backend.GPU)
        app.filesDir.resolve("starting").writeText("GPU")
        its.started()
        assertTrue(notice(), notice().startsWith("The last start ended while GPU was loading"))
        assertEquals(listOf(Backend.CPU), app.engines.loaded.map { it.backend })
        assertFalse("the next start tries the GPU again", app.filesDir.resolve("starting").exists())
    }

    @Test
    fun sourceWithoutAFaceIsRefused() {
        its.started()
        app.engines.face = false
        at.get().model.pickSource(its.shared(Portrait.COLLINS))
        waitUntil("it is said") { notice().startsWith("The source picture shows no face") }
        assertNull(state.source)
    }

    @Test
    fun flipAndPauseReachTheCamera() {
        its.live()
        at.find<View>(R.id.flip).performClick()
        assertEquals(false, app.camera.front)
        at.find<View>(R.id.pause).performClick()
        val shown = state.shown
        app.camera.frame(Portrait.HOPPER.before())
        waitUntil("the main thread is idle") { true }
        assertTrue("a paused picture stays", state.shown === shown)
    }
}

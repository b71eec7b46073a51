package org.mobilefsgan.demo

import android.Manifest
import android.content.Intent
import android.view.View
import android.widget.TextView
import org.junit.Assert.assertFalse
import org.junit.rules.ExternalResource
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

/** A [MainActivity] with fakes around it. After the test everything has to be closed. */
class AppRule : ExternalResource() {
    val app get() = RuntimeEnvironment.getApplication() as TestApp
    lateinit var at: ActivityController<MainActivity>
        private set
    val activity: MainActivity get() = at.get()
    val state get() = activity.model.state

    override fun before() {
        watchForLeaks()
        shadowOf(app).grantPermissions(Manifest.permission.CAMERA)
    }

    override fun after() {
        if (!::at.isInitialized) return
        if (!activity.isDestroyed) at.pause().stop().destroy()
        waitUntil("no engine is open") { app.engines.open.get() == 0 }
        assertFalse("the camera runs on", app.camera.running)
        assertNoLeaks()
    }

    /** A new activity, in the place of the one before. */
    fun created(intent: Intent? = null): ActivityController<MainActivity> {
        at = Robolectric.buildActivity(MainActivity::class.java, intent)
        return at
    }

    /** Up to the proven engine. */
    fun started(intent: Intent? = null): ActivityController<MainActivity> {
        created(intent).setup()
        waitUntil("the engine is ready") { state.engine is EngineState.Ready }
        return at
    }

    fun source() {
        activity.model.pickSource(shared(Portrait.COLLINS))
        waitUntil("the source is known") { state.source != null }
    }

    /** Up to the first swapped frame. */
    fun live() {
        started()
        source()
        frame()
    }

    fun frame() {
        val last = state.shown
        waitUntil("a frame is swapped") {
            app.camera.frame(Portrait.HOPPER.before()) // dropped where the worker has one
            state.shown.let { it?.after != null && it !== last }
        }
    }

    /** Up to a swapped photo. */
    fun photo() {
        started()
        source()
        activity.model.openPhoto(shared(Portrait.HOPPER))
        waitUntil("the photo is swapped") { state.shown?.after != null }
    }

    /** Leaves for another screen and comes back after [there]. */
    fun away(there: () -> Unit) {
        at.pause().stop()
        there()
        at.restart().start().resume()
        waitUntil("the engine is ready") { state.engine is EngineState.Ready }
    }

    fun shared(portrait: Portrait) = pictureUri(app, portrait)

    fun press(id: Int) = check(at.find<View>(id).performClick()) { "nothing listens" }

    fun text(id: Int) = at.find<TextView>(id).text.toString()
}

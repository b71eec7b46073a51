package org.mobilefsgan.demo

import android.view.View
import android.view.ViewGroup
import android.widget.CompoundButton
import android.widget.RadioButton
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config

/** Each setting, from its button to its effect. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class SettingsActivityTest {
    @get:Rule
    val its = AppRule()
    private lateinit var screen: ActivityController<SettingsActivity>
    private val kept get() = its.app.getSharedPreferences("settings", 0).all

    /** Opens the settings by their button, does [touch] there, and comes back. */
    private fun change(touch: () -> Unit) {
        its.press(R.id.settings)
        val asked = shadowOf(its.activity).nextStartedActivity
        assertEquals(SettingsActivity::class.java.name, asked.component!!.className)
        its.away {
            screen = Robolectric.buildActivity(SettingsActivity::class.java, asked).setup()
            touch()
            screen.pause().stop().destroy()
        }
    }

    private fun views(of: View = screen.get().window.decorView): List<View> = listOf(of) +
        ((of as? ViewGroup)?.let { group -> (0 until group.childCount).map(group::getChildAt) })
            .orEmpty().flatMap(::views)

    private fun button(words: String) =
        views().filterIsInstance<CompoundButton>().single { it.text.toString() == words }

    private fun chosen() = views().filterIsInstance<RadioButton>().filter { it.isChecked }
        .map { it.text.toString() }

    private fun ran() = (its.state.engine as EngineState.Ready).ran.choice

    @Test
    fun precisionOpensTheOtherFile() {
        its.live()
        change { button("fp32").performClick() }
        assertEquals("fp32", kept["precision"])
        assertEquals(listOf("int8", "fp32"), its.app.engines.loaded.map { it.precision })
        assertEquals("the first engine is closed", 1, its.app.engines.open.get())
        waitUntil("the source is known to it") { its.state.source != null }
        its.frame()
        assertTrue(its.text(R.id.overlay), "CPU · fp32" in its.text(R.id.overlay))
    }

    @Test
    fun backendOpensItAfterASelfTestOfItsOwn() {
        its.live()
        change { button("GPU").performClick() }
        assertEquals("GPU", kept["backend"])
        assertEquals(Backend.GPU, ran().backend)
        assertEquals(2, its.app.engines.selfTests)
        assertEquals("Self-test 47.1 dB on GPU", its.text(R.id.notice))
    }

    @Test
    fun threadsReachTheEngine() {
        Settings(its.app).choice = Choice(threads = 2)
        its.live()
        change { button("1").performClick() }
        assertEquals(1, kept["threads"])
        assertEquals(1, ran().threads)
        its.frame()
        assertTrue(its.text(R.id.overlay), "int8 · 1 thread\n" in its.text(R.id.overlay))
    }

    @Test
    fun generatorIsAChoiceBetweenBundlesAndOpensTheOther() {
        its.app.engines.bundles = mapOf("bundle" to "published", "bundle-lite" to "lite")
        its.live()
        change {
            assertTrue(button("published").isChecked)
            button("lite").performClick()
            waitUntil("the rows are made again") { button("lite").isChecked }
        }
        assertEquals("bundle-lite", kept["bundle"])
        assertEquals(listOf("", "bundle-lite"), its.app.engines.loaded.map { it.bundle })
        its.frame()
    }

    @Test
    fun bundlesOfOneNameAreToldApartByTheirFolders() {
        its.app.engines.bundles = mapOf("bundle" to "one", "bundle-lite" to "one")
        its.started()
        change {
            assertTrue(button("one, bundle").isChecked)
            assertFalse(button("one, bundle-lite").isChecked)
        }
    }

    @Test
    fun theOnlyGeneratorIsNamedAndIsNoChoice() {
        its.started()
        change {
            val named = views().filterIsInstance<TextView>()
                .filter { it.text.toString() == "mobilefsgan 0.1.0" }
            assertEquals(1, named.size)
            assertFalse(named.single() is CompoundButton)
        }
    }

    @Test
    fun badgeIsDrawnOnWhatIsSavedOrNot() {
        val gallery = Gallery.installed()
        its.photo()
        change { button("Write \u201cAI · face swapped\u201d on the picture").performClick() }
        assertEquals(false, kept["badge"])
        its.press(R.id.save)
        change { screen.find<View>(R.id.badge).performClick() }
        assertEquals(true, kept["badge"])
        its.press(R.id.save)
        waitUntil("both are saved") {
            gallery.entries.size == 2 && gallery.entries.values.all { it.bytes.size() > 0 }
        }
        val (without, with) = gallery.entries.values.map { it.bytes.toByteArray() }
        assertFalse(without.contentEquals(with))
        assertEquals("the engine runs on", 1, its.app.engines.loaded.size)
    }

    @Test
    fun saveFormatIsTheSavedFiles() {
        val gallery = Gallery.installed()
        its.photo()
        change { button("PNG").performClick() }
        assertEquals("PNG", kept["save-format"])
        its.press(R.id.save)
        waitUntil("it is saved") { gallery.entries.values.any { it.bytes.size() > 0 } }
        val file = gallery.entries.values.single()
        assertEquals("image/png", file.values.getAsString("mime_type"))
        assertEquals("PNG", String(file.bytes.toByteArray(), 1, 3))
    }

    @Test
    fun theDefaultsAreShown() {
        its.started()
        change {
            val threads = Settings(its.app).choice.threads.toString()
            assertEquals(listOf("int8", "CPU", threads, "JPEG"), chosen())
            assertTrue(button("Write \u201cAI · face swapped\u201d on the picture").isChecked)
        }
        assertEquals("nothing was loaded again", 1, its.app.engines.loaded.size)
    }

    @Test
    fun turningTheDeviceKeepsEveryChoice() {
        Settings(its.app).choice = Choice("fp32", Backend.GPU, threads = 1)
        its.started()
        change {
            val before = chosen()
            screen.recreate()
            assertEquals(before, chosen())
        }
        assertEquals(Choice("fp32", Backend.GPU, 1), Settings(its.app).choice)
    }

    @Test
    fun aDamagedBundleIsSaidAndTheBadgeCanStillBeSet() {
        its.started()
        its.app.engines.damaged = "The manifest is damaged."
        change {
            val words = views().filterIsInstance<TextView>().map { it.text.toString() }
            assertTrue("$words", words.any { "The manifest is damaged." in it })
            screen.find<View>(R.id.badge).performClick()
        }
        assertEquals(false, kept["badge"])
    }
}

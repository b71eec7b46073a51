package org.mobilefsgan.demo

import android.app.Activity
import android.app.AlertDialog
import android.content.ComponentName
import android.content.Intent
import android.content.pm.ResolveInfo
import android.net.Uri
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowDialog

/** Pictures that come into the app: from other apps, the gallery and the camera. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class PicturesInTest {
    @get:Rule
    val its = AppRule()

    private fun send(portrait: Portrait) = Intent(Intent.ACTION_SEND).setType("image/png")
        .putExtra(Intent.EXTRA_STREAM, its.shared(portrait))

    /** What other apps' share sheets can start here. */
    private fun entries(): List<ResolveInfo> = its.app.packageManager
        .queryIntentActivities(Intent(Intent.ACTION_SEND).setType("image/png"), 0)
        .filter { it.activityInfo.packageName == its.app.packageName }

    private fun component(name: String) = entries().map { it.activityInfo }
        .single { it.name == "org.mobilefsgan.demo.$name" }
        .let { ComponentName(it.packageName, it.name) }

    @Test
    fun aPictureSharedAsPhotoIsSwapped() {
        its.started(send(Portrait.HOPPER).setComponent(component("MainActivity")))
        assertEquals(Mode.PHOTO, its.state.mode)
        its.source()
        waitUntil("the photo is swapped") { its.state.shown?.after != null }
    }

    @Test
    fun aPictureSharedAsSourceBecomesTheSource() {
        its.started(send(Portrait.COLLINS).setComponent(component("ShareAsSource")))
        waitUntil("the source is known") { its.state.source != null }
        assertEquals(Mode.LIVE, its.state.mode)
        its.frame()
    }

    @Test
    fun shareSheetsTellTheTwoApart() {
        val names = entries().map { it.loadLabel(its.app.packageManager).toString() }
        assertEquals(2, names.toSet().size)
        assertTrue("$names", "MobileFSGAN: Source face" in names)
    }

    @Test
    fun aPictureThatIsSharedWhileTheAppIsOpenIsSwapped() {
        its.live()
        its.at.newIntent(send(Portrait.HOPPER))
        waitUntil("the photo is swapped") {
            its.state.mode == Mode.PHOTO && its.state.shown?.after != null
        }
    }

    @Test
    fun anUnreadablePictureIsSaid() {
        val text = Uri.parse("content://gallery/text")
        shadowOf(its.app.contentResolver).registerInputStreamSupplier(text) {
            "no picture".byteInputStream()
        }
        its.started(send(Portrait.HOPPER).putExtra(Intent.EXTRA_STREAM, text))
        waitUntil("it is said") {
            its.text(R.id.notice).startsWith("This picture cannot be read")
        }
    }

    @Test
    fun theSourceButtonAsksTheGallery() {
        its.started()
        its.press(R.id.source)
        answer(Portrait.COLLINS)
        waitUntil("the source is known") { its.state.source != null }
    }

    @Test
    fun theOpenButtonAsksTheGallery() {
        its.started()
        its.source()
        its.press(R.id.photo)
        its.press(R.id.open)
        answer(Portrait.HOPPER)
        waitUntil("the photo is swapped") { its.state.shown?.after != null }
    }

    @Test
    fun aPickerThatIsLeftChangesNothing() {
        its.started()
        its.press(R.id.source)
        val asked = shadowOf(its.activity).nextStartedActivityForResult
        shadowOf(its.activity).receiveResult(asked.intent, Activity.RESULT_CANCELED, null)
        waitUntil("the main thread is idle") { true }
        assertNull(its.state.source)
    }

    @Test
    fun theFaceInTheCameraBecomesTheSource() {
        its.live()
        val before = its.state.source
        its.press(R.id.source)
        val dialog = ShadowDialog.getLatestDialog() as AlertDialog
        shadowOf(dialog).clickOnItem(1)
        waitUntil("the source is another") { its.state.source !== before }
        assertTrue(
            its.state.source!!.toPicture().rgb.contentEquals(Portrait.HOPPER.before().rgb)
        )
    }

    /** The gallery's answer to what the app asked for. */
    private fun answer(portrait: Portrait) {
        val asked = shadowOf(its.activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_GET_CONTENT, asked.intent.action)
        assertEquals("image/*", asked.intent.type)
        val picture = Intent().setData(its.shared(portrait))
        shadowOf(its.activity).receiveResult(asked.intent, Activity.RESULT_OK, picture)
    }
}

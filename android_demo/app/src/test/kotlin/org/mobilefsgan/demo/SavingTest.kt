package org.mobilefsgan.demo

import android.content.Intent
import android.graphics.BitmapFactory
import android.net.Uri
import java.io.IOException
import java.io.OutputStream
import kotlin.math.abs
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** Save and Share, from the button to the file in the gallery. */
@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class SavingTest {
    @get:Rule
    val its = AppRule()
    private lateinit var gallery: Gallery
    private val saved get() = gallery.entries.values.single()
    private val pixels
        get() = saved.bytes.toByteArray().let {
            BitmapFactory.decodeByteArray(it, 0, it.size).toPicture().rgb
        }

    @Before
    fun withAGallery() {
        gallery = Gallery.installed()
    }

    private fun save() {
        its.press(R.id.save)
        waitUntil("it is said") { its.text(R.id.notice).startsWith("Saved to the gallery") }
    }

    private fun assertMarked() {
        val text = String(saved.bytes.toByteArray(), Charsets.ISO_8859_1)
        assertTrue("the IPTC source type", Xmp.SOURCE_TYPE in text)
        assertTrue("the tool", "MobileFSGAN" in text)
    }

    @Test
    fun jpegByDefaultWithMarkAndBadge() {
        its.photo()
        save()
        assertEquals("image/jpeg", saved.values.getAsString("mime_type"))
        assertTrue(saved.values.getAsString("_display_name").endsWith(".jpg"))
        assertEquals("Pictures/MobileFSGAN", saved.values.getAsString("relative_path"))
        assertEquals("other apps see it", 0, saved.values.getAsInteger("is_pending"))
        assertMarked()
        assertTrue("the badge is there", mostOff(pixels) > 100)
    }

    @Test
    fun pngWithMarkAndBadgeIsElsewhereTheSwappedPicture() {
        Settings(its.app).saveFormat = SaveFormat.PNG
        its.photo()
        save()
        assertEquals("image/png", saved.values.getAsString("mime_type"))
        assertTrue(saved.values.getAsString("_display_name").endsWith(".png"))
        assertMarked()
        val swapped = Portrait.HOPPER.after().rgb
        val above = 280 * 320 * 3
        assertArrayEquals(swapped.copyOf(above), pixels.copyOf(above))
        assertTrue("the badge is there", mostOff(pixels) > 100)
    }

    @Test
    fun withoutTheBadgeTheMarkStays() {
        Settings(its.app).saveFormat = SaveFormat.PNG
        Settings(its.app).badge = false
        its.photo()
        save()
        assertMarked()
        assertArrayEquals(Portrait.HOPPER.after().rgb, pixels)
    }

    @Test
    fun aLiveFrameIsSavedToo() {
        its.live()
        save()
        assertMarked()
        assertTrue("the badge is there", mostOff(pixels) > 100)
    }

    @Test
    fun shareOffersTheSavedFileAndNothingElse() {
        Settings(its.app).saveFormat = SaveFormat.PNG
        its.photo()
        its.press(R.id.share)
        var chooser: Intent? = null
        waitUntil("another app is asked for") {
            chooser = shadowOf(its.activity).nextStartedActivity
            chooser != null
        }
        assertEquals(Intent.ACTION_CHOOSER, chooser!!.action)
        @Suppress("DEPRECATION")
        val send = chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        assertEquals(Intent.ACTION_SEND, send.action)
        assertEquals("image/png", send.type)
        @Suppress("DEPRECATION")
        val shared = send.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)
        assertEquals(gallery.entries.keys.single(), shared)
        assertNotEquals(0, send.flags and Intent.FLAG_GRANT_READ_URI_PERMISSION)
        assertMarked()
    }

    @Test
    fun aFullGalleryIsSaidAndNothingIsLeftBehind() {
        gallery.streamOf = {
            object : OutputStream() {
                override fun write(byte: Int) = throw IOException("no space left")
            }
        }
        its.photo()
        its.press(R.id.share)
        waitUntil("it is said") { "no space left" in its.text(R.id.notice) }
        assertTrue(gallery.entries.isEmpty())
        assertEquals("nothing is shared", null, shadowOf(its.activity).nextStartedActivity)
    }

    @Test
    fun beforeTheSwapThereIsNothingToSaveOrShare() {
        its.started()
        for (id in listOf(R.id.save, R.id.share)) {
            assertFalse(its.at.find<android.view.View>(id).isEnabled)
        }
    }

    /** By how many levels a saved picture differs most from the swapped one. */
    private fun mostOff(saved: ByteArray): Int = Portrait.HOPPER.after().rgb.let { swapped ->
        saved.indices.maxOf { abs((saved[it].toInt() and 255) - (swapped[it].toInt() and 255)) }
    }
}

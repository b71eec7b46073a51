package org.mobilefsgan.demo

import android.graphics.BitmapFactory
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(application = TestApp::class)
class PicturesTest {
    private val portrait = Portrait.HOPPER.before()

    @Test
    fun bitmapAndPictureAreOne() {
        assertArrayEquals(portrait.rgb, portrait.toBitmap().toPicture().rgb)
    }

    @Test
    fun savedJpegCarriesTheMarkAndStillDecodes() {
        val saved = marked(portrait.toBitmap(), badge = null, SaveFormat.JPEG)
        assertTrue(Xmp.SOURCE_TYPE in String(saved, Charsets.ISO_8859_1))
        assertEquals(320, BitmapFactory.decodeByteArray(saved, 0, saved.size).width)
        assertEquals("APP1 follows JFIF's APP0", 0xE1, saved[4 + 16 + 1].toInt() and 255)
    }

    @Test
    fun savedPngCarriesTheMarkAndKeepsEveryPixel() {
        val saved = marked(portrait.toBitmap(), badge = null, SaveFormat.PNG)
        assertTrue(Xmp.SOURCE_TYPE in String(saved, Charsets.ISO_8859_1))
        val read = BitmapFactory.decodeByteArray(saved, 0, saved.size).toPicture()
        assertArrayEquals(portrait.rgb, read.rgb)
    }

    @Test
    fun badgeIsBurnedIntoTheLowerLeftCornerAndNowhereElse() {
        val saved = marked(portrait.toBitmap(), badge = "AI · face swapped", SaveFormat.PNG)
        val burned = BitmapFactory.decodeByteArray(saved, 0, saved.size).toPicture().rgb
        val changed = (0 until 320 * 320).filter { i ->
            (0..2).any {
                burned[3 * i + it] !=
                    portrait.rgb[3 * i + it]
            }
        }
        assertNotEquals(0, changed.size)
        assertTrue(changed.all { it / 320 > 280 && it % 320 < 160 })
    }

    @Test
    fun largePhotosAreReadSmaller() {
        assertEquals(listOf(1, 1, 2, 4), listOf(640, 2048, 4000, 8000).map { sampleSize(it, 480) })
    }
}

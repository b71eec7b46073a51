package org.mobilefsgan.demo

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import java.io.File
import java.io.IOException
import org.mobilefsgan.core.Picture

private const val LONGEST = 2048 // pixels; more costs time and memory and shows no more of a face

/** Writes this picture into [bitmap], which has its size. */
fun Picture.into(bitmap: Bitmap): Bitmap {
    val line = IntArray(width)
    for (y in 0 until height) {
        var i = 3 * y * width
        for (x in 0 until width) {
            val r = rgb[i].toInt() and 255
            val g = rgb[i + 1].toInt() and 255
            val b = rgb[i + 2].toInt() and 255
            line[x] = (255 shl 24) or (r shl 16) or (g shl 8) or b
            i += 3
        }
        bitmap.setPixels(line, 0, width, 0, y, width, 1)
    }
    return bitmap
}

fun Picture.toBitmap(): Bitmap = into(Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888))

fun Bitmap.toPicture(): Picture {
    val picture = Picture(width, height)
    val line = IntArray(width)
    var i = 0
    for (y in 0 until height) {
        getPixels(line, 0, width, 0, y, width, 1)
        for (pixel in line) {
            picture.rgb[i++] = (pixel shr 16).toByte()
            picture.rgb[i++] = (pixel shr 8).toByte()
            picture.rgb[i++] = pixel.toByte()
        }
    }
    return picture
}

/** The picture at [from], upright, at most 2048 pixels long. Null where it cannot be read. */
fun readPicture(resolver: ContentResolver, from: Uri): Picture? = try {
    val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    resolver.openInputStream(from)?.use { BitmapFactory.decodeStream(it, null, bounds) }
    val options = BitmapFactory.Options().apply {
        inSampleSize =
            sampleSize(bounds.outWidth, bounds.outHeight)
    }
    val turn = resolver.openInputStream(from)?.use(::uprightFrom) ?: Matrix()
    resolver.openInputStream(from)?.use { BitmapFactory.decodeStream(it, null, options) }?.let {
        Bitmap.createBitmap(it, 0, 0, it.width, it.height, turn, true).toPicture()
    }
} catch (error: IOException) {
    null
} catch (error: SecurityException) {
    null // the address was shared, and is no longer
}

/** The power of two by which a decoder has to shrink. */
fun sampleSize(width: Int, height: Int): Int {
    var size = 1
    while (maxOf(width, height) / size > LONGEST) size *= 2
    return size
}

/** The rotation and mirroring that a photo's Exif asks for. */
private fun uprightFrom(stream: java.io.InputStream): Matrix {
    val matrix = Matrix()
    val exif = try {
        ExifInterface(stream)
    } catch (error: IOException) {
        return matrix // no Exif
    }
    when (exif.getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)) {
        ExifInterface.ORIENTATION_FLIP_HORIZONTAL -> matrix.setScale(-1f, 1f)
        ExifInterface.ORIENTATION_ROTATE_180 -> matrix.setRotate(180f)
        ExifInterface.ORIENTATION_FLIP_VERTICAL -> matrix.setScale(1f, -1f)
        ExifInterface.ORIENTATION_TRANSPOSE -> matrix.apply {
            setRotate(90f)
            postScale(-1f, 1f)
        }
        ExifInterface.ORIENTATION_ROTATE_90 -> matrix.setRotate(90f)
        ExifInterface.ORIENTATION_TRANSVERSE -> matrix.apply {
            setRotate(-90f)
            postScale(-1f, 1f)
        }
        ExifInterface.ORIENTATION_ROTATE_270 -> matrix.setRotate(-90f)
    }
    return matrix
}

/**
 * Source and photo of this session, in the app's own folder, so that they survive the end of the
 * process: the addresses that a picker gives do not. A fresh start forgets them.
 */
class KeptPictures(private val folder: File) {
    fun source(): Picture? = read("source.png")

    fun photo(): Picture? = read("photo.png")

    fun keepSource(picture: Picture) = write("source.png", picture)

    fun keepPhoto(picture: Picture) = write("photo.png", picture)

    fun forget() {
        folder.deleteRecursively()
    }

    private fun read(name: String): Picture? =
        BitmapFactory.decodeFile(folder.resolve(name).path)?.toPicture()

    private fun write(name: String, picture: Picture) {
        folder.mkdirs()
        folder.resolve(name).outputStream().use {
            picture.toBitmap().compress(Bitmap.CompressFormat.PNG, 100, it)
        }
    }
}

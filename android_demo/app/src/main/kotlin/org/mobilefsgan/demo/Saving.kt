package org.mobilefsgan.demo

import android.content.ContentValues
import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RectF
import android.net.Uri
import android.os.Build
import android.provider.MediaStore.Images
import android.provider.MediaStore.MediaColumns
import java.io.ByteArrayOutputStream
import java.io.IOException

private const val BADGE_HEIGHT = 0.035f // of the picture's shorter edge, as the Python pipeline
private const val BADGE_LEAST = 14f // pixels; below this nobody could read it
private const val QUALITY = 95 // of JPEG; PNG has none

/**
 * Draws a readable mark into the lower left corner of a picture.
 *
 * @param left edge of the picture on [canvas], in pixels; likewise [bottom].
 * @param edge the picture's shorter edge.
 */
fun drawBadge(canvas: Canvas, words: String, left: Float, bottom: Float, edge: Float) {
    val height = maxOf(BADGE_LEAST, edge * BADGE_HEIGHT)
    val paint = Paint(Paint.ANTI_ALIAS_FLAG).apply { textSize = height * 0.6f }
    val box = RectF(0f, 0f, paint.measureText(words) + height, height)
    box.offsetTo(left + height / 2, bottom - height * 1.5f)
    paint.color = 0xAA000000.toInt()
    canvas.drawRoundRect(box, height / 3, height / 3, paint)
    paint.color = 0xFFFFFFFF.toInt()
    val middle = (paint.ascent() + paint.descent()) / 2
    canvas.drawText(words, box.left + height / 2, box.centerY() - middle, paint)
}

/** How pictures are saved: JPEG is small, PNG keeps every pixel. */
enum class SaveFormat(val label: String, val extension: String, val type: String) {
    JPEG("JPEG", "jpg", "image/jpeg"),
    PNG("PNG", "png", "image/png")
}

/**
 * A picture in the gallery.
 *
 * @property at its address, which may be shared.
 * @property type its MIME type.
 */
class Saved(val at: Uri, val type: String)

/**
 * Saves [picture] to the gallery, with the IPTC mark, and with [badge] drawn on it unless null.
 *
 * @throws IOException the gallery takes no picture; nothing is left behind.
 */
fun saveMarked(context: Context, picture: Bitmap, badge: String?, format: SaveFormat): Saved {
    val file = marked(picture, badge, format)
    val resolver = context.contentResolver
    val pending = Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q
    val values = ContentValues().apply {
        val stem = "mobilefsgan-${System.currentTimeMillis()}"
        put(MediaColumns.DISPLAY_NAME, "$stem.${format.extension}")
        put(MediaColumns.MIME_TYPE, format.type)
        if (pending) {
            put(MediaColumns.RELATIVE_PATH, "Pictures/MobileFSGAN")
            put(MediaColumns.IS_PENDING, 1)
        }
    }
    val place = try {
        resolver.insert(Images.Media.EXTERNAL_CONTENT_URI, values)
    } catch (error: SecurityException) {
        throw IOException("saving is not allowed; allow storage in the system's settings", error)
    } ?: throw IOException("the gallery takes no picture")
    try {
        val stream =
            resolver.openOutputStream(place) ?: throw IOException("the gallery gives no file")
        stream.use { it.write(file) }
        if (pending) {
            resolver.update(
                place,
                ContentValues().apply {
                    put(MediaColumns.IS_PENDING, 0)
                },
                null, null
            )
        }
    } catch (error: IOException) {
        resolver.delete(place, null, null)
        throw error
    }
    return Saved(place, format.type)
}

/** [picture], which is changed, as the bytes of a marked file. */
fun marked(picture: Bitmap, badge: String?, format: SaveFormat): ByteArray {
    if (badge != null) {
        val edge = minOf(picture.width, picture.height).toFloat()
        drawBadge(Canvas(picture), badge, 0f, picture.height.toFloat(), edge)
    }
    val bytes = ByteArrayOutputStream()
    val coder = when (format) {
        SaveFormat.JPEG -> Bitmap.CompressFormat.JPEG
        SaveFormat.PNG -> Bitmap.CompressFormat.PNG
    }
    if (!picture.compress(coder, QUALITY, bytes)) throw IOException("no ${format.label} was made")
    return when (format) {
        SaveFormat.JPEG -> Xmp.inJpeg(bytes.toByteArray())
        SaveFormat.PNG -> Xmp.inPng(bytes.toByteArray())
    }
}

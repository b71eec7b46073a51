package org.mobilefsgan.demo.view

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RectF
import android.util.AttributeSet
import android.view.MotionEvent
import android.view.View
import org.mobilefsgan.demo.R
import org.mobilefsgan.demo.Shown
import org.mobilefsgan.demo.drawBadge

/** Shows a picture as large as it fits; while it is held, the picture before the swap. */
class FrameView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private var shown: Shown? = null
    private var badge: String? = null
    private var held = false
    private val smooth = Paint(Paint.FILTER_BITMAP_FLAG)
    private val place = RectF()

    /** Shows [shown], with [badge] drawn on what is swapped. */
    fun show(shown: Shown?, badge: String?) {
        this.shown = shown
        this.badge = badge
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        val shown = shown ?: return
        val swapped = shown.after != null && !held
        val bitmap = if (swapped) shown.after else shown.before
        val scale = minOf(width.toFloat() / bitmap.width, height.toFloat() / bitmap.height)
        place.set(0f, 0f, bitmap.width * scale, bitmap.height * scale)
        place.offset((width - place.width()) / 2, (height - place.height()) / 2)
        canvas.drawBitmap(bitmap, null, place, smooth)
        val words = when {
            swapped -> badge
            held && shown.after != null -> context.getString(R.string.before)
            else -> null
        }
        if (words != null) {
            drawBadge(canvas, words, place.left, place.bottom, minOf(place.width(), place.height()))
        }
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> held = true
            MotionEvent.ACTION_UP -> {
                held = false
                performClick()
            }
            MotionEvent.ACTION_CANCEL -> held = false
        }
        invalidate()
        return true
    }

    override fun performClick(): Boolean = super.performClick()
}

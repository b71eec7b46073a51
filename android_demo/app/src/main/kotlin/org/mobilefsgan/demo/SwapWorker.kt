package org.mobilefsgan.demo

import android.graphics.Bitmap
import android.net.Uri
import java.io.IOException
import org.mobilefsgan.core.Picture

/**
 * The work of the background thread: models, source, photo and saving.
 *
 * Every function is called on that thread. What there is to see goes through [tell]; [mode] is what
 * the screen shows.
 */
internal class SwapWorker(
    private val app: DemoApp,
    private val settings: Settings,
    private val mode: () -> Mode,
    private val tell: ((UiState) -> UiState) -> Unit
) {
    private val swapper =
        SwapperHelper(app.engines, StartMarker(app.filesDir.resolve("starting")), settings)
    private val kept = KeptPictures(app.filesDir.resolve("kept"))
    private var engine: Engine? = null
    private var embedding: FloatArray? = null

    /** Starts the models for [wanted], and gives them the source of before. */
    fun start(wanted: Choice) {
        try {
            val started = swapper.start(wanted)
            engine = started.engine
            val ready = EngineState.Ready(started.engine.ran)
            // A picture that was shared to the app may have been refused meanwhile.
            tell { it.copy(engine = ready, notice = it.notice ?: started.notice) }
            kept.source()?.let(::useSource)
        } catch (error: EngineError) {
            engine = null
            val why = Words(R.string.engine_failed, error.message.orEmpty())
            tell { it.copy(engine = EngineState.Failed(why)) }
        }
    }

    /** Takes back the pictures of before the system ended the process. */
    fun restore() {
        kept.source()?.let(::useSource)
        if (mode() == Mode.PHOTO) showPhoto()
    }

    fun forget() = kept.forget()

    fun openSource(from: Uri) = read(from)?.let(::keepSource)

    fun keepSource(picture: Picture) {
        kept.keepSource(picture)
        tell { it.copy(notice = null) }
        useSource(picture)
    }

    fun openPhoto(from: Uri) {
        val picture = read(from) ?: return
        kept.keepPhoto(picture)
        tell { it.copy(notice = null) }
        usePhoto(picture)
    }

    /** Swaps the photo that was opened last, if there is one. */
    fun showPhoto() {
        kept.photo()?.let(::usePhoto)
    }

    /** Swaps [target] in place; null without models or source, or where the models failed. */
    fun swap(target: Picture, live: Boolean): Outcome? {
        val engine = engine ?: return null
        val embedding = embedding ?: return null
        return try {
            engine.swap(target, embedding, live)
        } catch (error: EngineError) {
            tell { it.copy(notice = Words(R.string.frame_failed, error.message.orEmpty())) }
            null
        }
    }

    /** Saves [picture] marked as synthetic; null, and the reason on the screen, where it cannot. */
    fun save(picture: Bitmap, badge: String?, format: SaveFormat): Saved? = try {
        saveMarked(app, picture, badge, format).also {
            tell { it.copy(notice = Words(R.string.saved)) }
        }
    } catch (error: IOException) {
        tell { it.copy(notice = Words(R.string.save_failed, error.message.orEmpty())) }
        null
    }

    fun close() {
        engine = null
        swapper.close()
    }

    private fun read(from: Uri): Picture? {
        val picture = readPicture(app.contentResolver, from)
        if (picture == null) tell { it.copy(notice = Words(R.string.picture_unreadable)) }
        return picture
    }

    private fun useSource(picture: Picture) {
        val engine = engine ?: return // kept; used as soon as the engine is loaded
        val found = engine.embeddingOf(picture)
        if (found == null) return tell { it.copy(notice = Words(R.string.no_face_in_source)) }
        embedding = found
        val small = picture.toBitmap()
        tell { it.copy(source = small) }
        if (mode() == Mode.PHOTO) showPhoto()
    }

    private fun usePhoto(picture: Picture) {
        if (engine == null || embedding == null) return
        tell { it.copy(busy = true) }
        val before = picture.toBitmap()
        val outcome = swap(picture, live = false)
        val after = outcome?.takeIf { it.faces > 0 }?.let { picture.toBitmap() }
        tell {
            it.copy(
                busy = false, shown = Shown(before, after), faces = outcome?.faces,
                times = outcome?.times
            )
        }
    }
}

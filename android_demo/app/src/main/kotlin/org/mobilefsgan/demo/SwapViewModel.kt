package org.mobilefsgan.demo

import android.net.Uri
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import org.mobilefsgan.core.Picture
import org.mobilefsgan.demo.camera.FrameSource

/**
 * Holds the state of the screen and outlives the activity when the device is turned.
 *
 * Models, decoding and saving run on one background thread; the state is replaced and told on the
 * main thread.
 */
class SwapViewModel(private val app: DemoApp) {
    @Volatile
    var state = UiState()
        private set
    var listener: ((UiState) -> Unit)? = null

    val settings = Settings(app)
    private val thread = HandlerThread("swap").apply { start() }
    private val worker = Handler(thread.looper)
    private val main = Handler(Looper.getMainLooper())
    private val swapper =
        SwapperHelper(app.engines, StartMarker(app.filesDir.resolve("starting")), settings)
    private val kept = KeptPictures(app.filesDir.resolve("kept"))
    private val camera: FrameSource = app.frames()
    private val live = LiveFrames()

    // Of the worker.
    private var engine: Engine? = null
    private var embedding: FloatArray? = null

    /** Shows [change] of the state. */
    private fun tell(change: (UiState) -> UiState) {
        if (Looper.myLooper() == Looper.getMainLooper()) {
            state = change(state)
            listener?.invoke(state)
        } else {
            main.post { tell(change) }
        }
    }

    /** Takes back what was on the screen when the system ended the process. */
    fun restore(mode: Mode, front: Boolean, paused: Boolean) {
        tell { it.copy(mode = mode, front = front, paused = paused) }
        worker.post {
            kept.source()?.let(::useSource)
            if (mode == Mode.PHOTO) kept.photo()?.let(::usePhoto)
        }
    }

    /** A first start: faces of an earlier one are forgotten. */
    fun begin() {
        worker.post { kept.forget() }
    }

    /** Loads the models for what the settings say, unless they run already. */
    fun load(again: Boolean = false) {
        val wanted = settings.choice
        val ready = state.engine as? EngineState.Ready
        if (!again &&
            (state.engine == EngineState.Loading || ready?.let { loadedFor == wanted } == true)
        ) {
            return
        }
        loadedFor = wanted
        tell { it.copy(engine = EngineState.Loading) }
        worker.post { start(wanted) }
    }

    private var loadedFor: Choice? = null

    private fun start(wanted: Choice) {
        try {
            val started = swapper.start(wanted)
            engine = started.engine
            tell {
                it.copy(engine = EngineState.Ready(started.engine.ran), notice = started.notice)
            }
            kept.source()?.let(::useSource)
        } catch (error: EngineError) {
            engine = null
            val why = Words(R.string.engine_failed, error.message.orEmpty())
            tell { it.copy(engine = EngineState.Failed(why)) }
        }
    }

    fun show(mode: Mode) {
        if (mode == state.mode) return
        if (mode == Mode.PHOTO) stopCamera()
        tell { it.copy(mode = mode, shown = null, faces = null, times = null, notice = null) }
        if (mode == Mode.PHOTO) worker.post { kept.photo()?.let(::usePhoto) }
    }

    /** Starts the live camera. [turnedDeg] is the display's rotation. */
    fun startCamera(allowed: Boolean, turnedDeg: Int) {
        if (!allowed) return tell { it.copy(camera = CameraState.DENIED) }
        if (state.camera == CameraState.RUNNING || state.camera == CameraState.STARTING) return
        tell { it.copy(camera = CameraState.STARTING) }
        camera.start(state.front, turnedDeg, ::onFrame) { now -> tell { it.copy(camera = now) } }
    }

    fun stopCamera() {
        camera.stop()
        tell { if (it.camera == CameraState.DENIED) it else it.copy(camera = CameraState.OFF) }
    }

    fun flip(turnedDeg: Int) {
        stopCamera()
        tell { it.copy(front = !it.front, shown = null) }
        startCamera(true, turnedDeg)
    }

    fun pause() = tell { it.copy(paused = !it.paused) }

    /** Called by the camera; the newest frame counts, others are dropped. */
    private fun onFrame(frame: Picture) {
        if (state.paused || !live.offer(frame)) return
        worker.post { live.take(::swapLive) }
    }

    private fun swapLive(frame: Picture) {
        val before = live.bitmapOf(frame)
        val outcome = swapped(frame, live = true)
        val after = outcome?.takeIf { it.faces > 0 }?.let { live.bitmapOf(frame) }
        val fps = live.framesPerSecond()
        tell {
            if (it.mode != Mode.LIVE || it.paused) return@tell it
            it.copy(
                camera = CameraState.RUNNING, shown = Shown(before, after), faces = outcome?.faces,
                times = outcome?.times, framesPerSecond = fps
            )
        }
    }

    private fun swapped(target: Picture, live: Boolean): Outcome? {
        val engine = engine ?: return null
        val embedding = embedding ?: return null
        return try {
            engine.swap(target, embedding, live)
        } catch (error: EngineError) {
            tell { it.copy(notice = Words(R.string.frame_failed, error.message.orEmpty())) }
            null
        }
    }

    fun pickSource(from: Uri) = decode(from) {
        kept.keepSource(it)
        useSource(it)
    }

    fun openPhoto(from: Uri) {
        if (state.mode == Mode.LIVE) show(Mode.PHOTO)
        decode(from) {
            kept.keepPhoto(it)
            usePhoto(it)
        }
    }

    /** The face that the camera shows now becomes the source. */
    fun sourceFromCamera() {
        val now = state.shown?.before ?: return
        val copy = now.toPicture()
        worker.post {
            kept.keepSource(copy)
            useSource(copy)
        }
    }

    private fun decode(from: Uri, use: (Picture) -> Unit) {
        worker.post {
            val picture = readPicture(app.contentResolver, from)
            if (picture ==
                null
            ) {
                tell { it.copy(notice = Words(R.string.picture_unreadable)) }
            } else {
                use(picture)
            }
        }
    }

    private fun useSource(picture: Picture) {
        val engine = engine ?: return // kept; used as soon as the engine is loaded
        val found = engine.embeddingOf(picture)
        if (found == null) return tell { it.copy(notice = Words(R.string.no_face_in_source)) }
        embedding = found
        val small = picture.toBitmap()
        tell { it.copy(source = small, notice = null) }
        kept.photo()?.takeIf { state.mode == Mode.PHOTO }?.let(::usePhoto)
    }

    private fun usePhoto(picture: Picture) {
        if (engine == null || embedding == null) return
        tell { it.copy(busy = true) }
        val before = picture.toBitmap()
        val outcome = swapped(picture, live = false)
        val after = outcome?.takeIf { it.faces > 0 }?.let { picture.toBitmap() }
        tell {
            it.copy(
                busy = false, shown = Shown(before, after), faces = outcome?.faces,
                times = outcome?.times
            )
        }
    }

    /** Saves what is shown, marked as synthetic; [then] gets its address on the main thread. */
    fun save(then: (Uri) -> Unit) {
        val picture =
            state.shown?.after?.copy(android.graphics.Bitmap.Config.ARGB_8888, true) ?: return
        val badge = if (settings.badge) app.getString(R.string.badge) else null
        worker.post {
            try {
                val saved = saveMarked(app, picture, badge)
                tell { it.copy(notice = Words(R.string.saved)) }
                main.post { then(saved) }
            } catch (error: java.io.IOException) {
                tell { it.copy(notice = Words(R.string.save_failed, error.message.orEmpty())) }
            }
        }
    }

    /** Unloads the models; the next [load] brings them back. */
    fun freeMemory() {
        loadedFor = null
        tell { it.copy(engine = EngineState.Unloaded, notice = Words(R.string.memory_freed)) }
        worker.post { closeEngine() }
    }

    private fun closeEngine() {
        engine = null
        swapper.close()
    }

    /** Ends the camera, the models and the thread. */
    fun close() {
        listener = null
        camera.stop()
        worker.post { closeEngine() }
        thread.quitSafely()
    }
}

package org.mobilefsgan.demo

import android.graphics.Bitmap
import android.net.Uri
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import org.mobilefsgan.core.Picture
import org.mobilefsgan.demo.camera.FrameSource

/**
 * Holds the state of the screen and outlives the activity when the device is turned.
 *
 * Models, decoding and saving run on one background thread, in [SwapWorker]; the state is replaced
 * and told on the main thread.
 */
class SwapViewModel(private val app: DemoApp) {
    @Volatile
    var state = UiState()
        private set
    var listener: ((UiState) -> Unit)? = null

    val settings = Settings(app)
    private val thread = HandlerThread("swap").apply { start() }
    private val background = Handler(thread.looper)
    private val main = Handler(Looper.getMainLooper())
    private val worker = SwapWorker(app, settings, { state.mode }, ::tell)
    private val camera: FrameSource = app.frames()
    private val live = LiveFrames()
    private var loadedFor: Choice? = null

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
        background.post { worker.restore() }
    }

    /** A first start: faces of an earlier one are forgotten. */
    fun begin() {
        background.post { worker.forget() }
    }

    /** Loads the models for what the settings say, unless they run already. */
    fun load(again: Boolean = false) {
        val wanted = settings.choice
        val runs = state.engine is EngineState.Ready && loadedFor == wanted
        if (!again && (state.engine == EngineState.Loading || runs)) return
        loadedFor = wanted
        tell { it.copy(engine = EngineState.Loading, notice = null) }
        background.post { worker.start(wanted) }
    }

    fun show(mode: Mode) {
        if (mode == state.mode) return
        if (mode == Mode.PHOTO) stopCamera()
        tell { it.copy(mode = mode, shown = null, faces = null, times = null, notice = null) }
        if (mode == Mode.PHOTO) background.post { worker.showPhoto() }
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
        background.post { live.take(::swapLive) }
    }

    private fun swapLive(frame: Picture) {
        val before = live.bitmapOf(frame)
        val outcome = worker.swap(frame, live = true)
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

    fun pickSource(from: Uri) {
        background.post { worker.openSource(from) }
    }

    fun openPhoto(from: Uri) {
        if (state.mode == Mode.LIVE) show(Mode.PHOTO)
        background.post { worker.openPhoto(from) }
    }

    /** The face that the camera shows now becomes the source. */
    fun sourceFromCamera() {
        val now = state.shown?.before ?: return
        val copy = now.toPicture()
        background.post { worker.keepSource(copy) }
    }

    /** Saves what is shown, marked as synthetic; [then] is told on the main thread. */
    fun save(then: (Saved) -> Unit) {
        val picture = state.shown?.after?.copy(Bitmap.Config.ARGB_8888, true) ?: return
        val badge = if (settings.badge) app.getString(R.string.badge) else null
        val format = settings.saveFormat
        background.post {
            worker.save(picture, badge, format)?.let { saved -> main.post { then(saved) } }
        }
    }

    /** Unloads the models; the next [load] brings them back. */
    fun freeMemory() {
        loadedFor = null
        tell { it.copy(engine = EngineState.Unloaded, notice = Words(R.string.memory_freed)) }
        background.post { worker.close() }
    }

    /** Ends the camera, the models and the thread. */
    fun close() {
        listener = null
        camera.stop()
        background.post { worker.close() }
        thread.quitSafely()
    }
}

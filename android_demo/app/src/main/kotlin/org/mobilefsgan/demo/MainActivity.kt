package org.mobilefsgan.demo

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.ComponentCallbacks2
import android.content.Intent
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.os.Build
import android.os.Bundle
import android.view.WindowManager
import org.mobilefsgan.demo.camera.turnedDeg
import org.mobilefsgan.demo.view.MainScreen

/** Live camera and photos. Everything that lasts is in [SwapViewModel]. */
class MainActivity :
    Activity(),
    MainScreen.Actions {
    lateinit var model: SwapViewModel
        private set
    private lateinit var screen: MainScreen
    private var started = false

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        setContentView(R.layout.main)
        screen = MainScreen(this, this)
        @Suppress("DEPRECATION")
        val retained = lastNonConfigurationInstance as SwapViewModel?
        model = retained ?: SwapViewModel(application as DemoApp)
        when {
            retained != null -> Unit
            saved != null -> model.restore(
                Mode.valueOf(saved.getString("mode", Mode.LIVE.name)),
                saved.getBoolean("front", true), saved.getBoolean("paused")
            )
            else -> model.begin()
        }
        model.listener = ::show
        if (saved == null) take(intent)
    }

    @Deprecated("The framework's own way without androidx.")
    override fun onRetainNonConfigurationInstance(): Any = model

    override fun onSaveInstanceState(out: Bundle) {
        super.onSaveInstanceState(out)
        out.putString("mode", model.state.mode.name)
        out.putBoolean("front", model.state.front)
        out.putBoolean("paused", model.state.paused)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        take(intent)
    }

    /** A picture shared to this app is the source face, or the photo to swap. */
    private fun take(intent: Intent?) {
        val picture = intent?.sharedPicture() ?: return
        if (intent.isForSource()) model.pickSource(picture) else model.openPhoto(picture)
    }

    override fun onStart() {
        super.onStart()
        started = true
        model.load()
        if (model.state.mode == Mode.LIVE) startCamera(ask = true)
        show(model.state)
    }

    override fun onStop() {
        started = false
        model.stopCamera()
        super.onStop()
    }

    override fun onDestroy() {
        if (isChangingConfigurations) model.listener = null else model.close()
        super.onDestroy()
    }

    @Suppress("DEPRECATION")
    override fun onTrimMemory(level: Int) {
        super.onTrimMemory(level)
        val hidden = !started && level >= ComponentCallbacks2.TRIM_MEMORY_BACKGROUND
        if (hidden) model.freeMemory()
    }

    private fun startCamera(ask: Boolean) {
        val allowed = checkSelfPermission(Manifest.permission.CAMERA) == PERMISSION_GRANTED
        if (!allowed && ask) return requestPermissions(arrayOf(Manifest.permission.CAMERA), CAMERA)
        model.startCamera(allowed, turnedDeg())
    }

    override fun onRequestPermissionsResult(code: Int, names: Array<String>, results: IntArray) {
        if (code == CAMERA && model.state.mode == Mode.LIVE) startCamera(ask = false)
        if (code == STORAGE && results.firstOrNull() == PERMISSION_GRANTED) onSave()
    }

    private fun show(state: UiState) {
        screen.show(state, badge = model.settings.badge)
        val live = state.mode == Mode.LIVE && !state.paused
        val flag = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
        if (live) window.addFlags(flag) else window.clearFlags(flag)
    }

    override fun onMode(mode: Mode) {
        if (mode == model.state.mode) return
        model.show(mode)
        if (mode == Mode.LIVE) startCamera(ask = true)
    }

    override fun onPickSource() {
        if (model.state.mode != Mode.LIVE || model.state.shown == null) return pick(SOURCE)
        val ways = arrayOf(getString(R.string.from_gallery), getString(R.string.from_camera))
        AlertDialog.Builder(this).setTitle(R.string.pick_source)
            .setItems(ways) { _, way -> if (way == 0) pick(SOURCE) else model.sourceFromCamera() }
            .show()
    }

    override fun onAct(act: Act) = when (act) {
        Act.ALLOW_CAMERA -> startCamera(ask = true)
        Act.PICK_SOURCE -> onPickSource()
        Act.OPEN_PHOTO -> onOpen()
        Act.TRY_AGAIN -> model.load(again = true)
    }

    override fun onOpen() = pick(PHOTO)

    override fun onFlip() = model.flip(turnedDeg())

    override fun onPauseFrames() = model.pause()

    override fun onSettings() = startActivity(Intent(this, SettingsActivity::class.java))

    override fun onSave() {
        val old = Build.VERSION.SDK_INT < Build.VERSION_CODES.Q
        val storage = Manifest.permission.WRITE_EXTERNAL_STORAGE
        if (old && checkSelfPermission(storage) != PERMISSION_GRANTED) {
            return requestPermissions(arrayOf(storage), STORAGE)
        }
        model.save {}
    }

    /** Only a saved, marked picture leaves the app. */
    override fun onShare() = model.save { saved ->
        startActivity(sendPicture(saved, getString(R.string.share)))
    }

    @Suppress("DEPRECATION") // the framework's own way without androidx
    private fun pick(code: Int) = startActivityForResult(pickPicture(), code)

    @Deprecated("The framework's own way without androidx.")
    override fun onActivityResult(code: Int, result: Int, data: Intent?) {
        val picture = data?.data ?: return
        when (code) {
            SOURCE -> model.pickSource(picture)
            PHOTO -> model.openPhoto(picture)
        }
    }

    private companion object {
        const val SOURCE = 1
        const val PHOTO = 2
        const val CAMERA = 3
        const val STORAGE = 4
    }
}

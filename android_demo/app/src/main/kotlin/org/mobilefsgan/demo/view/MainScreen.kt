package org.mobilefsgan.demo.view

import android.app.Activity
import android.view.View
import android.widget.Button
import android.widget.ImageButton
import android.widget.RadioGroup
import android.widget.TextView
import org.mobilefsgan.demo.Act
import org.mobilefsgan.demo.EngineState
import org.mobilefsgan.demo.Mode
import org.mobilefsgan.demo.R
import org.mobilefsgan.demo.UiState
import org.mobilefsgan.demo.cardOf

/** Draws a [UiState] into the views of `layout/main`, and tells what was touched. */
class MainScreen(private val activity: Activity, private val actions: Actions) {
    /** What can be touched. */
    interface Actions {
        fun onMode(mode: Mode)
        fun onPickSource()
        fun onOpen()
        fun onFlip()
        fun onPauseFrames()
        fun onSave()
        fun onShare()
        fun onSettings()
        fun onAct(act: Act)
    }

    private val frame = find<FrameView>(R.id.frame)
    private val overlay = find<TextView>(R.id.overlay)
    private val message = find<View>(R.id.message)
    private val words = find<TextView>(R.id.words)
    private val busy = find<View>(R.id.busy)
    private val act = find<Button>(R.id.act)
    private val notice = find<TextView>(R.id.notice)
    private val source = find<ImageButton>(R.id.source)
    private val mode = find<RadioGroup>(R.id.mode)
    private val pause = find<Button>(R.id.pause)

    init {
        source.clipToOutline = true
        // Clicks only: check() in show() would come back as a change.
        onClick(R.id.live) { actions.onMode(Mode.LIVE) }
        onClick(R.id.photo) { actions.onMode(Mode.PHOTO) }
        source.setOnClickListener { actions.onPickSource() }
        pause.setOnClickListener { actions.onPauseFrames() }
        onClick(R.id.open, actions::onOpen)
        onClick(R.id.flip, actions::onFlip)
        onClick(R.id.save, actions::onSave)
        onClick(R.id.share, actions::onShare)
        onClick(R.id.settings, actions::onSettings)
    }

    private fun onClick(id: Int, action: () -> Unit) = view(id).setOnClickListener { action() }

    private fun view(id: Int) = find<View>(id)

    private fun <T : View> find(id: Int): T = activity.findViewById<T>(id)!!

    /** Shows [state]; [badge] says whether pictures carry the visible mark. */
    fun show(state: UiState, badge: Boolean) {
        val live = state.mode == Mode.LIVE
        mode.check(if (live) R.id.live else R.id.photo)
        frame.show(state.shown, activity.getString(R.string.badge).takeIf { badge })
        if (state.source != null) source.setImageBitmap(state.source)
        view(R.id.open).visible(!live)
        view(R.id.flip).visible(live)
        pause.visible(live)
        pause.setText(if (state.paused) R.string.resume else R.string.pause)
        val swapped = state.shown?.after != null
        view(R.id.save).isEnabled = swapped
        view(R.id.share).isEnabled = swapped
        showOverlay(state)
        showCard(state)
        notice.text = noticeOf(state)
    }

    private fun noticeOf(state: UiState): String {
        val unseen = state.mode == Mode.LIVE && state.faces == 0
        val said = state.notice?.say(activity)
        return when {
            unseen -> activity.getString(R.string.no_face)
            said != null -> said
            state.shown?.after != null -> activity.getString(R.string.hold_for_before)
            else -> ""
        }
    }

    private fun showOverlay(state: UiState) {
        val ran = (state.engine as? EngineState.Ready)?.ran
        val times = state.times
        overlay.visible(ran != null && times != null)
        if (ran == null || times == null) return
        val choice = ran.choice
        val threads = activity.resources
            .getQuantityString(R.plurals.overlay_threads, choice.threads, choice.threads)
        val used = activity.getString(
            R.string.overlay_ran, choice.backend.label, choice.precision, threads
        )
        val stages = activity.getString(
            R.string.overlay_times, times.find, times.align, times.generate, times.putBack
        )
        val live = state.mode == Mode.LIVE && state.framesPerSecond > 0
        val rate = activity.getString(R.string.overlay_rate, state.framesPerSecond)
        overlay.text = activity.getString(
            R.string.two_lines, if (live) "$rate · $used" else used, stages
        )
    }

    private fun showCard(state: UiState) {
        val card = cardOf(state)
        message.visible(card != null)
        if (card == null) return
        words.text = card.why?.say(activity) ?: activity.getString(card.words)
        busy.visible(card.busy)
        act.visible(card.act != null)
        val does = card.act ?: return
        act.setText(
            when (does) {
                Act.ALLOW_CAMERA -> R.string.allow_camera
                Act.PICK_SOURCE -> R.string.pick_source
                Act.OPEN_PHOTO -> R.string.pick_photo
                Act.TRY_AGAIN -> R.string.try_again
            }
        )
        act.setOnClickListener { actions.onAct(does) }
    }

    private fun View.visible(yes: Boolean) {
        visibility = if (yes) View.VISIBLE else View.GONE
    }
}

package org.mobilefsgan.demo

import android.content.Context
import android.graphics.Bitmap

/** A sentence of the resources with what fills its gaps. */
class Words(val id: Int, private vararg val gaps: Any) {
    fun say(context: Context): String = context.getString(id, *gaps)
}

enum class Mode { LIVE, PHOTO }

enum class CameraState { OFF, STARTING, RUNNING, DENIED, LOST, MISSING }

/** A picture before and after the swap; [after] is null where nothing was swapped. */
class Shown(val before: Bitmap, val after: Bitmap?)

/** Loading is a state with its payload. */
sealed class EngineState {
    object Unloaded : EngineState()
    object Loading : EngineState()
    class Ready(val ran: Ran) : EngineState()
    class Failed(val why: Words) : EngineState()
}

/** Everything that the screen shows. Never changed, only replaced. */
data class UiState(
    val mode: Mode = Mode.LIVE,
    val engine: EngineState = EngineState.Unloaded,
    val camera: CameraState = CameraState.OFF,
    val front: Boolean = true,
    val paused: Boolean = false,
    val busy: Boolean = false,
    val source: Bitmap? = null,
    val shown: Shown? = null,
    val faces: Int? = null,
    val times: Times? = null,
    val framesPerSecond: Double = 0.0,
    val notice: Words? = null
)

/** What a card's button does. */
enum class Act { ALLOW_CAMERA, PICK_SOURCE, OPEN_PHOTO, TRY_AGAIN }

/** The card in the middle of the screen. */
class Card(val words: Int, val act: Act?, val busy: Boolean = false, val why: Words? = null)

/** The one thing that stands in the way, null where nothing does. */
fun cardOf(state: UiState): Card? = when {
    state.engine is EngineState.Failed -> Card(0, Act.TRY_AGAIN, why = state.engine.why)
    state.engine == EngineState.Loading -> Card(R.string.loading, null, busy = true)
    state.source == null -> Card(R.string.welcome, Act.PICK_SOURCE)
    state.busy -> Card(R.string.swapping, null, busy = true)
    state.mode == Mode.LIVE -> liveCard(state)
    state.shown == null -> Card(R.string.choose_photo, Act.OPEN_PHOTO)
    state.faces == 0 -> Card(R.string.no_face_in_photo, Act.OPEN_PHOTO)
    else -> null
}

private fun liveCard(state: UiState): Card? = when (state.camera) {
    CameraState.DENIED -> Card(R.string.camera_denied, Act.ALLOW_CAMERA)
    CameraState.LOST -> Card(R.string.camera_lost, null)
    CameraState.MISSING -> Card(R.string.camera_missing, Act.OPEN_PHOTO)
    else -> null
}

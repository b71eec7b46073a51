package org.mobilefsgan.demo.camera

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraCharacteristics.LENS_FACING_BACK
import android.hardware.camera2.CameraCharacteristics.LENS_FACING_FRONT
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.util.Size
import kotlin.math.abs
import org.mobilefsgan.core.Orientation
import org.mobilefsgan.core.Picture
import org.mobilefsgan.demo.CameraState

private const val WANTED_PIXELS = 1280 * 720

/** Camera2: one stream of YUV_420_888, the newest image only, on a thread of its own. */
class Camera2Source(context: Context) : FrameSource {
    private val manager = context.getSystemService(Context.CAMERA_SERVICE) as CameraManager
    private var open: Opened? = null

    @Synchronized
    override fun start(
        front: Boolean,
        turnedDeg: Int,
        frames: (Picture) -> Unit,
        changed: (CameraState) -> Unit
    ) {
        stop()
        val id = try {
            manager.cameraIdList.firstOrNull { facing(it) == wanted(front) }
        } catch (error: CameraAccessException) {
            null
        }
        if (id == null) return changed(CameraState.MISSING)
        open = Opened(id, front, turnedDeg, frames, changed).also { it.open() }
    }

    @Synchronized
    override fun stop() {
        open?.close()
        open = null
    }

    private fun wanted(front: Boolean) = if (front) LENS_FACING_FRONT else LENS_FACING_BACK

    private fun facing(id: String) =
        manager.getCameraCharacteristics(id)[CameraCharacteristics.LENS_FACING]

    /** One camera from opening to closing. */
    private inner class Opened(
        private val id: String,
        front: Boolean,
        turnedDeg: Int,
        private val frames: (Picture) -> Unit,
        private val changed: (CameraState) -> Unit
    ) : CameraDevice.StateCallback() {
        private val thread = HandlerThread("camera").apply { start() }
        private val handler = Handler(thread.looper)
        private val facts = manager.getCameraCharacteristics(id)
        private val orientation =
            Orientation.of(facts[CameraCharacteristics.SENSOR_ORIENTATION] ?: 0, turnedDeg, front)
        private val size = nearest(facts)
        private val reader =
            ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, 2)
        private val upright = UprightFrames(orientation)
        private var device: CameraDevice? = null
        private var lost = false

        /** Reopens the camera when the app that took it gives it back. */
        private val available = object : CameraManager.AvailabilityCallback() {
            override fun onCameraAvailable(cameraId: String) {
                if (lost && cameraId == id) open()
            }
        }

        init {
            reader.setOnImageAvailableListener({ from ->
                from.acquireLatestImage()?.use { frames(upright.of(it)) }
            }, handler)
            manager.registerAvailabilityCallback(available, handler)
        }

        @SuppressLint("MissingPermission") // the activity asks before it starts the camera
        fun open() {
            lost = false
            try {
                manager.openCamera(id, this, handler)
            } catch (error: CameraAccessException) {
                lose()
            } catch (error: SecurityException) {
                changed(CameraState.DENIED)
            }
        }

        @Suppress("DEPRECATION") // its successor needs Android 9
        override fun onOpened(camera: CameraDevice) {
            device = camera
            val session = object : CameraCaptureSession.StateCallback() {
                override fun onConfigured(session: CameraCaptureSession) {
                    val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
                    request.addTarget(reader.surface)
                    try {
                        session.setRepeatingRequest(request.build(), null, handler)
                        changed(CameraState.RUNNING)
                    } catch (error: CameraAccessException) {
                        lose()
                    } catch (error: IllegalStateException) {
                        lose() // closed meanwhile
                    }
                }

                override fun onConfigureFailed(session: CameraCaptureSession) = lose()
            }
            try {
                camera.createCaptureSession(listOf(reader.surface), session, handler)
            } catch (error: CameraAccessException) {
                lose()
            }
        }

        override fun onDisconnected(camera: CameraDevice) = lose()

        override fun onError(camera: CameraDevice, error: Int) = lose()

        private fun lose() {
            lost = true
            device?.close()
            device = null
            changed(CameraState.LOST)
        }

        fun close() {
            manager.unregisterAvailabilityCallback(available)
            handler.post {
                device?.close()
                reader.close()
                thread.quitSafely()
            }
        }
    }

    /** The size that is nearest to 1280 x 720 in pixels. */
    private fun nearest(facts: CameraCharacteristics): Size {
        val map = facts[CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP]
        val sizes = map?.getOutputSizes(ImageFormat.YUV_420_888).orEmpty()
        return sizes.minByOrNull { abs(it.width * it.height - WANTED_PIXELS) } ?: Size(1280, 720)
    }
}

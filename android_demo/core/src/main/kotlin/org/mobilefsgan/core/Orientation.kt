package org.mobilefsgan.core

/**
 * How a camera's picture becomes an upright one.
 *
 * @property rotation clockwise, 0, 90, 180 or 270 degrees.
 * @property mirror left and right change sides after the rotation, as in a mirror.
 */
data class Orientation(val rotation: Int, val mirror: Boolean) {
    init {
        require(rotation in setOf(0, 90, 180, 270)) {
            "the rotation is $rotation degrees; expected 0, 90, 180 or 270"
        }
    }

    companion object {
        /**
         * The orientation that makes a Camera2 image upright on the display.
         *
         * @param sensor SENSOR_ORIENTATION: clockwise degrees from image to the upright device.
         * @param display Display.getRotation() in degrees: how far what is drawn is turned.
         * @param front whether the camera looks at the user; it is shown as in a mirror.
         */
        fun of(sensor: Int, display: Int, front: Boolean): Orientation {
            val turn = if (front) sensor + display else sensor - display
            return Orientation(Math.floorMod(turn, 360), front)
        }
    }
}

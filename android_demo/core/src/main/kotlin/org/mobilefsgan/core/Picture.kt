package org.mobilefsgan.core

/**
 * A picture: rows first, RGB interleaved, a byte a channel, 0 to 255.
 *
 * The bytes are kept when the size changes, so that frames of one size allocate once.
 */
class Picture(width: Int, height: Int) {
    /** Width in pixels. */
    var width = width
        private set

    /** Height in pixels. */
    var height = height
        private set

    /** At least `width * height * 3` bytes; what lies behind is of an earlier, larger picture. */
    var rgb = ByteArray(width * height * RGB)
        private set

    init {
        require(width > 0 && height > 0) { "the picture is $width x $height; expected pixels" }
    }

    /** How many bytes the picture has. */
    val size: Int get() = width * height * RGB

    /** Becomes a picture of another size; what it shows is then undefined. */
    fun reshape(width: Int, height: Int): Picture {
        require(width > 0 && height > 0) { "the picture is $width x $height; expected pixels" }
        this.width = width
        this.height = height
        if (rgb.size < size) rgb = ByteArray(size)
        return this
    }

    /** Becomes a copy of [other]. */
    fun set(other: Picture): Picture {
        reshape(other.width, other.height)
        System.arraycopy(other.rgb, 0, rgb, 0, size)
        return this
    }

    /** A copy of its own. */
    fun copy(): Picture = Picture(width, height).set(this)

    companion object {
        /** Channels of a pixel. */
        const val RGB = 3

        /** Takes over [rgb], which has `width * height * 3` bytes. */
        fun of(rgb: ByteArray, width: Int, height: Int): Picture {
            require(rgb.size == width * height * RGB) {
                "the picture has ${rgb.size} bytes; expected RGB of $width x $height pixels"
            }
            return Picture(1, 1).also {
                it.rgb = rgb
                it.width = width
                it.height = height
            }
        }
    }
}

/** The byte at [index] as 0 to 255. */
internal fun ByteArray.level(index: Int): Int = this[index].toInt() and 0xFF

/** [value] rounded and held within 0 to 255. */
internal fun toLevel(value: Float): Byte = (
    if (value <= 0f) {
        0
    } else if (value >= 255f) {
        255
    } else {
        (value + 0.5f).toInt()
    }
    ).toByte()

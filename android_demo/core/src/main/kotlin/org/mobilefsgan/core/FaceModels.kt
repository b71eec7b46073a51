package org.mobilefsgan.core

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sin

/** A loaded model that takes one square picture, and the view that it saw last. */
internal class FaceModel(private val model: SwapModel, private val low: Float) : AutoCloseable {
    private val input = model.inputs[0]

    /** Edge of the view in pixels. */
    val size: Int = input.shape[1]

    /** View to picture, pixel centres at the integers in both. */
    val back = Affine()

    private val view = Affine()
    private val seen = Picture(size, size)
    private val floats = FloatArray(input.count)
    private val outputs = model.outputs.map { FloatArray(it.count) }
    private val stored = FloatArray(256) { it * (1 - low) / 255f + low }

    /** Looks at the [crop], picture to unit square; false where it is all of one colour. */
    fun see(pyramid: Pyramid, crop: Affine): Boolean {
        Crop.view(crop, size, view)
        back.setInverse(view)
        pyramid.cut(view, seen)
        return contrast() >= LEAST_CONTRAST
    }

    /** Computes the outputs for what was seen. */
    fun run() {
        for (i in floats.indices) floats[i] = stored[seen.rgb.level(i)]
        input.write(floats)
        model.run()
        for (i in outputs.indices) model.outputs[i].read(outputs[i])
    }

    /** The larger output of two: the boxes, or the landmarks. */
    val large: FloatArray = outputs.maxBy { it.size }

    /** The smaller output: the scores. */
    val small: FloatArray = outputs.minBy { it.size }

    override fun close() = model.close()

    private fun contrast(): Int {
        var least = 255
        var most = 0
        stride(0, size, 2) { y ->
            stride(0, size, 2) { x ->
                for (c in 0 until Picture.RGB) {
                    val value = seen.rgb.level((y * size + x) * 3 + c)
                    if (value < least) least = value
                    if (value > most) most = value
                }
            }
        }
        return most - least
    }

    private companion object {
        const val LEAST_CONTRAST = 12 // levels; less is sky or a wall
    }
}

/** One of the face detectors. */
internal class FaceFinder(model: SwapModel) : AutoCloseable {
    private val model = FaceModel(model, low = -1f)
    private val blazeFace = BlazeFace(this.model.size)

    /** Candidates in the view that [crop], picture to unit square, describes, best first. */
    fun find(pyramid: Pyramid, crop: Affine): List<Candidate> {
        if (!model.see(pyramid, crop)) return emptyList()
        model.run()
        return blazeFace.decode(model.large, model.small, model.back)
    }

    override fun close() = model.close()
}

/** The landmark model. */
internal class MeshFitter(model: SwapModel) : AutoCloseable {
    private val model = FaceModel(model, low = 0f)

    /** Makes [into] the landmarks in a crop, picture to unit square. */
    fun fit(pyramid: Pyramid, crop: Affine, into: Face) {
        model.see(pyramid, crop)
        model.run()
        FaceMesh.decode(model.large, model.back, into.mesh)
        into.score = FaceMesh.probability(model.small[0])
    }

    override fun close() = model.close()
}

/** The views of a picture in which faces are looked for: picture to unit square. */
internal object Views {
    // The full-range detector finds every face whose landmarks span a twelfth of a view, if three
    // quarters of a face lie between its middle and the view's edge.
    private const val FACES_PER_VIEW = 10.8
    private const val STEP = 0.72 // of a tile's edge

    /** All of a picture, turned about its middle. */
    fun whole(picture: Picture, turnDeg: Double): Affine {
        val c = kotlin.math.abs(cos(turnDeg * PI / 180))
        val s = kotlin.math.abs(sin(turnDeg * PI / 180))
        val width = picture.width.toDouble()
        val height = picture.height.toDouble()
        val extent = maxOf(width * c + height * s, width * s + height * c)
        val upright = Affine(1.0, 0.0, 0.5 - (width - 1) / 2, 0.0, 1.0, 0.5 - (height - 1) / 2)
        return Crop.turned(upright, turnDeg, 1 / extent, Affine())
    }

    /**
     * Overlapping upright squares of halving size, the largest ones first, one list per size.
     *
     * @param leastPx the smallest face that is to be found, in pixels from ear to ear.
     */
    fun tiles(picture: Picture, leastPx: Double): Sequence<List<Affine>> = sequence {
        val longest = maxOf(picture.width, picture.height).toDouble()
        val least = FACES_PER_VIEW * leastPx
        val sides = generateSequence(least) { it * 2 }.takeWhile { it < longest }.toList()
        for (side in sides.asReversed()) {
            yield(
                steps(picture.height, side).flatMap { top ->
                    steps(picture.width, side).map { left ->
                        val scale = 1 / side
                        Affine(scale, 0.0, (0.5 - left) * scale, 0.0, scale, (0.5 - top) * scale)
                    }
                }
            )
        }
    }

    /** Where squares begin that cover an edge without reaching beyond it. */
    private fun steps(edge: Int, side: Double): List<Double> {
        val room = maxOf(0.0, edge - side)
        val count = kotlin.math.ceil(room / (STEP * side)).toInt()
        return if (count == 0) listOf(0.0) else List(count + 1) { it * room / count }
    }
}

package org.mobilefsgan.bench

import java.util.concurrent.TimeUnit
import kotlin.math.sin
import org.mobilefsgan.core.Affine
import org.mobilefsgan.core.FaceMesh
import org.mobilefsgan.core.Paste
import org.mobilefsgan.core.Picture
import org.mobilefsgan.core.Pyramid
import org.mobilefsgan.core.Vectors
import org.mobilefsgan.core.doubles
import org.mobilefsgan.core.part
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Fork
import org.openjdk.jmh.annotations.Measurement
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Param
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.Setup
import org.openjdk.jmh.annotations.State
import org.openjdk.jmh.annotations.Warmup

/** How long it takes to cut a face of 256 pixels out of a frame, and to put it back. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1, jvmArgsAppend = ["-Xmx512m"])
open class Resampling {
    /** Size of the frame; the face takes two thirds of its height. */
    @Param("256x256", "1280x720")
    lateinit var frame: String

    private val aligned = Picture(FACE, FACE)
    private val swapped = Picture(FACE, FACE)
    private val mesh = DoubleArray(2 * FaceMesh.COUNT)
    private val matrix = Affine()
    private val pyramid = Pyramid()
    private val paste = Paste(FACE)
    private lateinit var picture: Picture

    /** Draws a frame, and lays the landmarks of a portrait into it. */
    @Setup
    fun draw() {
        val (width, height) = frame.split('x').map { it.toInt() }
        picture = Picture(width, height)
        for (i in 0 until picture.size) picture.rgb[i] = (128 + 90 * sin(i * 0.01)).toInt().toByte()
        val case = Vectors("mask").cases[0] // landmarks in a face of 128 pixels
        val face = Vectors.floats(case.part("mesh")).doubles()
        val scale = height * 2.0 / 3 / SMALL
        for (i in face.indices step 2) {
            mesh[i] = face[i] * scale + (width - height * 2.0 / 3) / 2
            mesh[i + 1] = face[i + 1] * scale + height / 6.0
        }
        val zoom = FACE / (SMALL * scale)
        matrix.set(
            zoom, 0.0, -zoom * (width - height * 2.0 / 3) / 2,
            0.0, zoom, -zoom * height / 6.0
        )
        warp()
        swapped.set(aligned)
    }

    /** Cuts the face out. */
    @Benchmark
    fun warp(): Picture {
        pyramid.show(picture).cut(matrix, aligned, smooth = true)
        return aligned
    }

    /** Masks, matches colours, and puts the face back. */
    @Benchmark
    fun paste(): Picture {
        paste.pasteBack(picture, swapped, aligned, matrix, mesh)
        return picture
    }

    private companion object {
        const val FACE = 256
        const val SMALL = 128.0
    }
}

package org.mobilefsgan.jvm

import kotlin.math.hypot
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.mobilefsgan.core.FaceMesh
import org.mobilefsgan.core.FaceSwapper
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.Picture
import org.mobilefsgan.core.Points
import org.mobilefsgan.core.Precision
import org.mobilefsgan.core.Pyramid
import org.mobilefsgan.core.Vectors
import org.mobilefsgan.core.numbers
import org.mobilefsgan.core.part
import org.mobilefsgan.core.psnrOverMask
import org.mobilefsgan.core.text
import org.mobilefsgan.onnx.OnnxRuntime

/** The whole pipeline with real models gives Python's pictures of both portraits. */
class PortraitsTest {
    private val vectors = Vectors("portraits")

    @Test
    fun `faces are found where Python finds them`() = RealFiles.detector().use { detector ->
        for (case in vectors.cases) {
            val picture = Vectors.picture(case.part("image"))
            val face = detector.find(Pyramid().show(picture)).single()
            val found = FaceMesh.fivePoints(face.mesh)
            val wanted = case.numbers("five_points")
            val away = (0 until 10 step 2).maxOf {
                hypot(found[it] - wanted[it], found[it + 1] - wanted[it + 1])
            } / Points.distance(wanted, 0, 1)
            println(
                "measured: ${case.text("portrait")} five points %.2f %% of the eye distance off"
                    .format(100 * away)
            )
            assertTrue(away <= vectors.tolerance("five_points_eye_distances"), "$away")
        }
    }

    @Test
    fun `a face that lies on its side is found`() = RealFiles.detector().use { detector ->
        val case = vectors.cases[0]
        val upright = Vectors.picture(case.part("image"))
        val lying = turned(upright)
        val face = detector.find(Pyramid().show(lying)).single()
        val found = FaceMesh.fivePoints(face.mesh)
        val wanted = case.numbers("five_points")
        val away = (0 until 10 step 2).maxOf {
            // A quarter turn clockwise maps (x, y) to (height - 1 - y, x).
            hypot(found[it] - (upright.height - 1 - wanted[it + 1]), found[it + 1] - wanted[it])
        } / Points.distance(wanted, 0, 1)
        println("measured: on its side, five points %.2f %% off".format(100 * away))
        assertTrue(away <= 0.02, "$away")
    }

    private fun turned(picture: Picture): Picture {
        val turned = Picture(picture.height, picture.width)
        for (y in 0 until picture.height) {
            for (x in 0 until picture.width) {
                val to = (x * turned.width + picture.height - 1 - y) * 3
                picture.rgb.copyInto(
                    turned.rgb,
                    to,
                    (y * picture.width + x) * 3,
                    (y * picture.width + x) * 3 + 3
                )
            }
        }
        return turned
    }

    @Test
    fun `identities are Python's`() = RealFiles.detector().use { detector ->
        RealFiles.needWeights(Shipped.ENCODER)
        val runtime = OnnxRuntime()
        val generator = RealFiles.generator(runtime, Precision.FP32)
        FaceSwapper(detector, generator, RealFiles.bundle.manifest.align).use { swapper ->
            RealFiles.encoder(runtime).use { encoder ->
                val (first, second) = vectors.cases
                for ((source, target) in listOf(first to second, second to first)) {
                    val picture = Vectors.picture(source.part("image"))
                    val mine = swapper.identity(picture, encoder)
                    val theirs = Vectors.floats(target.part("embedding"))
                    val cosine = mine.indices.sumOf { mine[it].toDouble() * theirs[it] }
                    assertEquals(1.0, cosine, 0.002)
                }
            }
        }
    }

    @Test
    fun `swaps through LiteRT`() = swap(RealFiles.litert)

    @Test
    fun `swaps through ONNX Runtime`() = swap(OnnxRuntime())

    private fun swap(runtime: ModelRuntime) = RealFiles.detector().use { detector ->
        RealFiles.needWeights(Shipped.GENERATOR)
        val generator = RealFiles.generator(runtime, Precision.FP32)
        FaceSwapper(detector, generator, RealFiles.bundle.manifest.align).use { swapper ->
            for (case in vectors.cases) {
                val picture = Vectors.picture(case.part("image"))
                swapper.swapPhoto(picture, Vectors.floats(case.part("embedding")))
                val before = Vectors.bytes(case.part("image"))
                val final = Vectors.bytes(case.part("final"))
                val psnr = psnrOverMask(picture.rgb, final, before)
                println(
                    "measured: ${case.text("portrait")} swapped by ${runtime.name} at %.1f dB"
                        .format(psnr)
                )
                assertTrue(psnr >= 40, "$psnr dB over the mask")
            }
        }
    }
}

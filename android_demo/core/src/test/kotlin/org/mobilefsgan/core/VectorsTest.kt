package org.mobilefsgan.core

import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What Python computes is what this code computes, within the tolerances of the vectors. */
class VectorsTest {
    @Test
    fun `similarity fits`() {
        val vectors = Vectors("fit")
        for (case in vectors.cases) {
            val found = fitSimilarity(case.numbers("points"), case.numbers("template"))
            val away = differences(found.values, case.numbers("matrix"))
            assertTrue(away.last() <= vectors.tolerance("matrix_abs"), "${away.last()}")
        }
    }

    @Test
    fun warps() {
        val vectors = Vectors("warp")
        for (case in vectors.cases) {
            val pyramid = Pyramid().show(Vectors.picture(case.part("image")))
            val found = Picture(case.whole("width"), case.whole("height"))
            pyramid.cut(case.affine("matrix"), found, case.flag("smooth"))
            val away = differences(found.rgb.levels(), Vectors.bytes(case.part("result")).levels())
            val file = case.part("result").text("file")
            val p99 = away[(0.99 * away.size).toInt()]
            assertTrue(away.average() <= vectors.tolerance("mean_abs_levels"), "$file: $away")
            assertTrue(p99 <= vectors.tolerance("p99_abs_levels"), "$file: p99 $p99")
        }
    }

    @Test
    fun `faces in BlazeFace's outputs`() {
        val vectors = Vectors("blazeface")
        for (case in vectors.cases) {
            val blazeFace = BlazeFace(case.whole("size"))
            assertEquals(case.whole("anchors"), blazeFace.anchorCount)
            val boxes = FloatArray(blazeFace.anchorCount * 16)
            val logits = FloatArray(blazeFace.anchorCount) { -100f }
            val rows = Vectors.floats(case.part("boxes"))
            case.getValue("rows").jsonArray.forEachIndexed { i, row ->
                val at = row.jsonPrimitive.int
                rows.copyInto(boxes, at * 16, i * 16, (i + 1) * 16)
                logits[at] = case.numbers("logits")[i].toFloat()
            }
            val back = Affine().setInverse(case.affine("view"))
            val found = blazeFace.decode(boxes, logits, back)
            val wanted = case.getValue("faces").jsonArray.map { it.jsonObject }
            assertEquals(wanted.size, found.size)
            for ((mine, theirs) in found.zip(wanted)) {
                assertEquals(theirs.number("score"), mine.score, vectors.tolerance("score"))
                assertEquals(theirs.number("tilt_deg"), mine.tiltDeg, vectors.tolerance("tilt_deg"))
                val here = doubleArrayOf(
                    mine.x, mine.y, mine.side, mine.leftX, mine.leftY, mine.rightX, mine.rightY
                )
                val there = theirs.numbers("centre") + theirs.number("side") +
                    theirs.numbers("eyes")
                assertTrue(differences(here, there).last() <= vectors.tolerance("pixels"))
            }
        }
    }

    @Test
    fun `landmarks and crops in the mesh's outputs`() {
        val vectors = Vectors("mesh")
        for (case in vectors.cases) {
            val view = Crop.view(case.affine("crop"), case.whole("size"), Affine())
            val mesh = DoubleArray(2 * FaceMesh.COUNT)
            FaceMesh.decode(
                Vectors.floats(case.part("raw")),
                Affine().setInverse(view),
                mesh
            )
            val score = FaceMesh.probability(case.number("logit").toFloat())
            assertEquals(case.number("score"), score, vectors.tolerance("score"))
            val pixels = vectors.tolerance("pixels")
            val wanted = Vectors.floats(case.part("mesh")).doubles()
            assertTrue(differences(mesh, wanted).last() <= pixels)
            val five = FaceMesh.fivePoints(mesh)
            assertTrue(differences(five, case.numbers("five_points")).last() <= pixels)
            val next = Crop.ofMesh(mesh, five, Affine())
            val away = differences(next.values, case.numbers("next_crop")).last()
            assertTrue(away <= vectors.tolerance("matrix_abs"), "$away")
        }
    }

    @Test
    fun `soft masks`() {
        val vectors = Vectors("mask")
        for (case in vectors.cases) {
            val mask = Mask(case.whole("size"))
            mask.of(Vectors.floats(case.part("mesh")).doubles(), case.flag("keep_mouth"))
            val wanted = Vectors.floats(case.part("mask")).doubles()
            val away = differences(mask.values.doubles(), wanted)
            assertTrue(away.average() <= vectors.tolerance("mean_abs"), "${away.average()}")
            assertTrue(away.last() <= vectors.tolerance("max_abs"), "${away.last()}")
        }
    }

    @Test
    fun `colours, of grey faces too`() {
        val vectors = Vectors("light")
        val portraits = Vectors("portraits").cases.associateBy { it.text("portrait") }
        for (case in vectors.cases) {
            val portrait = portraits.getValue(case.text("portrait"))
            val aligned = Vectors.picture(portrait.part("aligned"))
            if (case.flag("grey")) {
                for (i in aligned.rgb.indices) aligned.rgb[i] = aligned.rgb[i - i % 3 + 1]
            }
            val mask = Vectors.bytes(case.part("mask")).levels().map { (it / 255).toFloat() }
            val found = Vectors.picture(portrait.part("swapped"))
            Light(256).match(found, aligned, mask.toFloatArray())
            val away = differences(found.rgb.levels(), Vectors.bytes(case.part("result")).levels())
            assertTrue(away.average() <= vectors.tolerance("mean_abs_levels"), "${away.average()}")
            assertTrue(away.last() <= vectors.tolerance("max_abs_levels"), "${away.last()}")
        }
    }

    @Test
    fun `aligned portraits`() {
        val vectors = Vectors("portraits")
        for (case in vectors.cases) {
            val found = Picture(256, 256)
            Pyramid().show(Vectors.picture(case.part("image")))
                .cut(case.affine("matrix"), found, smooth = true)
            val away = differences(found.rgb.levels(), Vectors.bytes(case.part("aligned")).levels())
            assertTrue(away.average() <= vectors.tolerance("aligned_mean_abs_levels"))
        }
    }

    @Test
    fun `portraits with a face put back`() = putBack("portraits")

    @Test
    fun `faces put back that reach beyond the picture`() = putBack("edges")

    private fun putBack(name: String) {
        val vectors = Vectors(name)
        val paste = Paste(Vectors.picture(vectors.cases[0].part("aligned")).width)
        for (case in vectors.cases) {
            val image = Vectors.picture(case.part("image"))
            paste.pasteBack(
                image,
                Vectors.picture(case.part("swapped")),
                Vectors.picture(case.part("aligned")),
                case.affine("matrix"),
                Vectors.floats(case.part("mesh")).doubles()
            )
            val before = Vectors.bytes(case.part("image"))
            val psnr = psnrOverMask(image.rgb, Vectors.bytes(case.part("final")), before)
            assertTrue(psnr >= vectors.tolerance("final_psnr_db_over_mask"), "$psnr dB")
            println("${case.text("portrait")}: put back at %.1f dB over the mask".format(psnr))
        }
    }

    @Test
    fun `smoothed landmarks`() {
        val vectors = Vectors("one_euro")
        for (case in vectors.cases) {
            val seconds = case.numbers("seconds")
            val seen = frames(case.numbers("seen"), seconds.size)
            val wanted = frames(case.numbers("smooth"), seconds.size)
            val filter = OneEuro(seen[0])
            for (i in 1 until seen.size) {
                filter.step(seen[i], seconds[i] - seconds[i - 1])
                val away = differences(filter.smooth, wanted[i]).last()
                assertTrue(away <= vectors.tolerance("pixels"), "frame $i: $away")
            }
        }
    }

    private fun frames(numbers: DoubleArray, count: Int): List<DoubleArray> =
        numbers.toList().chunked(numbers.size / count) { it.toDoubleArray() }

    @Test
    fun `statistics of a row`() {
        val vectors = Vectors("statistics")
        for (case in vectors.cases) {
            val found = StageStatistics.of(case.numbers("latencies_ms"))
            val stage = case.part("stage")
            val mine = doubleArrayOf(
                found.n.toDouble(), found.meanMs, found.p50Ms, found.p90Ms, found.p99Ms,
                found.minMs, found.maxMs
            )
            val theirs = stage.values.map { it.jsonPrimitive.double }.toDoubleArray()
            assertTrue(differences(mine, theirs).last() <= vectors.tolerance("ms"))
        }
    }

    @Test
    fun `manifests are read or refused`() {
        for (case in Vectors("manifests").cases) {
            val text = case.text("text")
            if (case.flag("accepted")) {
                assertEquals(Manifest.SCHEMA, Manifest.read(text).schema, case.text("name"))
            } else {
                assertThrows(BundleException::class.java, {
                    Manifest.read(text)
                }, case.text("name"))
            }
        }
    }
}

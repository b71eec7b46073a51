package org.mobilefsgan.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import kotlin.math.log10
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json

/**
 * An input of the bundle with PyTorch's answer.
 *
 * @property target aligned face.
 * @property embedding identity of the source, unit L2 norm.
 * @property image the swapped face, RGB interleaved in [0, 1].
 */
class GoldenSample(val target: Picture, val embedding: FloatArray, val image: FloatArray)

/**
 * How near a backend comes to PyTorch; the worst sample counts.
 *
 * @property psnrDb peak 1; 200 for identical pictures, NaN where a value is not finite.
 */
data class SelfTest(val psnrDb: Double, val maxAbs: Double, val floorDb: Double) {
    /** Whether the backend may be used. */
    val passed: Boolean get() = psnrDb >= floorDb // false for NaN
}

/** Replays the golden samples of a bundle. */
object Golden {
    private const val INDEX = "golden/index.json"
    private const val MOST_SAMPLES = 64
    private const val IDENTICAL_DB = 200.0
    private val json = Json { ignoreUnknownKeys = true }

    /** The least PSNR of a precision, below which `python -m export` refuses a file as well. */
    fun floorDb(precision: Precision): Double = when (precision) {
        Precision.FP32 -> 60.0
        Precision.FP16 -> 45.0
        Precision.DYNAMIC -> 40.0
        Precision.PAL6 -> 35.0
        Precision.INT8, Precision.W8A8 -> 30.0
    }

    /**
     * The samples of a bundle.
     *
     * @throws BundleException there are none, or they are damaged.
     */
    fun read(bundle: Bundle): List<GoldenSample> {
        val index = parse(INDEX) {
            json.decodeFromString(Index.serializer(), bundle.text(INDEX))
        }
        if (index.samples.isEmpty()) throw BundleException("$INDEX names no samples.")
        return index.samples.take(MOST_SAMPLES).map {
            val edge = it.target.shape.getOrElse(2) { 0 }
            GoldenSample(
                Picture.of(bytes(bundle, it.target), edge, edge),
                floats(bundle, it.embedding),
                floats(bundle, it.image)
            )
        }
    }

    /**
     * Runs a generator on every sample.
     *
     * @throws ModelException the runtime fails.
     */
    fun test(generator: Generator, samples: List<GoldenSample>, floorDb: Double): SelfTest {
        var worst = IDENTICAL_DB
        var most = 0.0
        for (sample in samples) {
            val found = FloatArray(sample.image.size)
            generator.generateUnit(sample.target, sample.embedding, found)
            var squares = 0.0
            for (i in found.indices) {
                val away = abs(found[i].toDouble() - sample.image[i])
                squares += away * away
                most = maxOf(most, away)
            }
            val mean = squares / found.size
            val psnr = if (mean == 0.0) IDENTICAL_DB else -10 * log10(mean)
            worst = if (psnr.isNaN() || worst.isNaN()) Double.NaN else minOf(worst, psnr)
        }
        return SelfTest(worst, most, floorDb)
    }

    private fun floats(bundle: Bundle, entry: Entry): FloatArray {
        val floats = ByteBuffer.wrap(bytes(bundle, entry)).order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer()
        return FloatArray(floats.remaining()).also { floats.get(it) }
    }

    private fun bytes(bundle: Bundle, entry: Entry): ByteArray {
        val width = if (entry.dtype == DType.FLOAT32) Float.SIZE_BYTES else 1
        val expected = entry.shape.fold(width.toLong()) { product, axis -> product * axis }
        val found = bundle.bytes("golden/${entry.file.substringAfterLast('/')}")
        if (found.size.toLong() != expected) {
            throw BundleException(
                "${entry.file} has ${found.size} bytes; ${entry.shape} needs $expected. " +
                    "Export the bundle again."
            )
        }
        return found
    }

    @Serializable
    private class Index(val samples: List<Sample>)

    @Serializable
    private class Sample(val target: Entry, val embedding: Entry, val image: Entry)

    @Serializable
    private class Entry(val file: String, val dtype: DType, val shape: List<Int>)
}

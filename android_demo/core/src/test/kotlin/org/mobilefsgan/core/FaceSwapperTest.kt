package org.mobilefsgan.core

import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class FaceSwapperTest {
    private val align = Align(256, FIVE.toList().chunked(2))
    private val identity = floatArrayOf(1f, 0f, 0f, 0f)

    @Test
    fun `a frame in which a face is followed allocates nothing`() {
        val (picture, face) = portrait()
        val tracker = MeshTracker(face)
        val swapper = FaceSwapper(tracker, fakeGenerator(256), align)
        val frame = picture.copy()
        val nothing = (0 until 31).map { allocatedBy { } }.last() // what asking takes
        val allocated = (0 until 31).map { n ->
            frame.set(picture)
            allocatedBy { swapper.swapFrame(frame, identity, n / 25.0) } - nothing
        }
        // Every tenth frame looks for new faces, and may hold a list of candidates.
        val followed = allocated.filterIndexed { n, _ -> n > 10 && n % 10 != 0 }
        val looked = allocated.filterIndexed { n, _ -> n > 10 && n % 10 == 0 }
        println(
            "measured: ${followed.sorted()[followed.size / 2]} bytes a followed frame, " +
                "${looked.max()} with a look"
        )
        // The JVM itself allocates some bytes where it replaces a method by a compiled one.
        assertEquals(0, followed.sorted()[followed.size / 2], "$allocated")
        assertTrue(followed.sum() < 1000, "$allocated")
        assertTrue(looked.max() < 20_000, "${looked.max()} bytes")
    }

    @Test
    fun `a swap changes the face and nothing else`() {
        val (picture, face) = portrait()
        val swapper = FaceSwapper(FakeTracker(face), fakeGenerator(256), align)
        val photo = picture.copy()
        assertEquals(1, swapper.swapPhoto(photo, identity))
        val corner = 40 * picture.width * 3
        assertArrayEquals(picture.rgb.copyOf(corner), photo.rgb.copyOf(corner))
        assertFalse(picture.rgb.contentEquals(photo.rgb))
        assertTrue(swapper.times.total > 0)
    }

    @Test
    fun `a photo without a face is refused in words`() {
        val (picture, face) = portrait()
        val tracker = FakeTracker(face).apply { sees = false }
        val swapper = FaceSwapper(tracker, fakeGenerator(256), align)
        assertThrows(NoFaceException::class.java) { swapper.swapPhoto(picture, identity) }
        assertEquals(0, swapper.swapFrame(picture, identity, 0.0))
    }

    @Test
    fun `values that are not finite are refused`() {
        val (picture, face) = portrait()
        val swapper = FaceSwapper(FakeTracker(face), fakeGenerator(256, Float.NaN), align)
        assertThrows(ModelException::class.java) { swapper.swapPhoto(picture, identity) }
    }

    private inline fun allocatedBy(work: () -> Unit): Long {
        val bean = ManagementFactory.getThreadMXBean() as ThreadMXBean
        val thread = Thread.currentThread().id
        val before = bean.getThreadAllocatedBytes(thread)
        work()
        return bean.getThreadAllocatedBytes(thread) - before
    }

    /** The detector's own code over fake models: it sees [face]'s mesh wherever it looks. */
    private class MeshTracker(face: Face) : FaceTracker {
        private val detector = Detector(
            FakeModel(
                listOf(tensor("input", 1, 128, 128, 3)),
                listOf(tensor("boxes", 1, 896, 16), tensor("scores", 1, 896, 1))
            ) { for (i in 0 until 896) outputs[1].floats.put(i, -1f) },
            FakeModel(
                listOf(tensor("input", 1, 192, 192, 3)),
                listOf(tensor("boxes", 1, 2304, 16), tensor("scores", 1, 2304, 1))
            ) { for (i in 0 until 2304) outputs[1].floats.put(i, -1f) },
            FakeModel(
                listOf(tensor("input", 1, 192, 192, 3)),
                listOf(tensor("mesh", 1, 1, 1, 1404), tensor("score", 1, 1, 1, 1))
            ) {
                for (i in 0 until 468) {
                    outputs[0].floats.put(3 * i, inView[2 * i])
                    outputs[0].floats.put(3 * i + 1, inView[2 * i + 1])
                }
                outputs[1].floats.put(0, 10f)
            }
        )
        private val first = Face(face.mesh.copyOf(), 1.0)
        private var found = false

        override fun glance(pyramid: Pyramid, known: List<Face>) = detector.glance(pyramid, known)

        override fun find(
            pyramid: Pyramid,
            thorough: Boolean,
            known: List<Face>,
            leastPx: Double
        ): List<Face> = if (found) known else listOf(first).also { found = true }

        override fun track(pyramid: Pyramid, face: Face, into: Face): Boolean =
            detector.track(pyramid, face, into)
    }

    private companion object {
        val FIVE = doubleArrayOf(
            95.750879, 120.161118, 159.932921, 119.806121, 128.0459, 156.663093, 101.679082,
            194.237161, 154.829461, 193.943182
        )

        /** The portrait's mesh as the model sees it in its crop of 192 pixels. */
        val inView: FloatArray by lazy {
            val mesh = portrait().second.mesh
            val crop = Crop.ofMesh(mesh, FaceMesh.fivePoints(mesh), Affine())
            val view = Crop.view(crop, 192, Affine())
            val seen = DoubleArray(mesh.size)
            Points.map(mesh, view, seen)
            FloatArray(seen.size) { (seen[it] + 0.5).toFloat() }
        }
    }
}

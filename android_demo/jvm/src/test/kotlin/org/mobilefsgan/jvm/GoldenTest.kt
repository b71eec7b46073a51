package org.mobilefsgan.jvm

import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.mobilefsgan.core.Golden
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.Precision
import org.mobilefsgan.onnx.OnnxRuntime

/** The generators of the bundle give what PyTorch gives, through both runtimes. */
class GoldenTest {
    @Test
    fun `fp32 through LiteRT`() = replay(RealFiles.litert, Precision.FP32, 60.0)

    @Test
    fun `int8 through LiteRT`() = replay(RealFiles.litert, Precision.INT8, 35.0)

    @Test
    fun `fp32 through ONNX Runtime`() = replay(OnnxRuntime(), Precision.FP32, 60.0)

    @Test
    fun `int8 through ONNX Runtime`() = replay(OnnxRuntime(), Precision.INT8, 35.0)

    /** [shippedDb]: floor of the shipped generator; any other has to reach the app's own. */
    private fun replay(runtime: ModelRuntime, precision: Precision, shippedDb: Double) {
        RealFiles.generator(runtime, precision).use { generator ->
            val shipped = RealFiles.holds(Shipped.GENERATOR)
            val floorDb = if (shipped) shippedDb else Golden.floorDb(precision)
            val result = Golden.test(generator, RealFiles.golden(), floorDb)
            println(
                "measured: golden ${runtime.name} ${precision.word} %.1f dB, at most %.1e off"
                    .format(result.psnrDb, result.maxAbs)
            )
            assertTrue(result.passed, "$result")
        }
    }
}

package org.mobilefsgan.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

class ResultRowTest {
    private val device = DeviceInfo("Pixel", "16", "Tensor", 8)
    private val model =
        MeasuredModel("generator", "g.tflite", "00", Format.TFLITE, Precision.INT8, 27)

    @Test
    fun `a row is what benchmarks read`() {
        val row = ResultRow(
            device = device,
            app = AppInfo("1.0", "abc"),
            model = model,
            backend = Ran("litert-gpu", "litert-cpu", 4, partitions = 1),
            runs = Runs(5, 2),
            stages = mapOf("total" to StageStatistics.of(doubleArrayOf(1.0, 3.0))),
            check = Check(41.0, 0.1)
        )
        val stage = """{"n":2,"mean_ms":2.0,"p50_ms":2.0,"p90_ms":2.8,"p99_ms":2.98,""" +
            """"min_ms":1.0,"max_ms":3.0}"""
        assertEquals(
            """{"device":{"model":"Pixel","os":"16","soc":"Tensor","cores":8},""" +
                """"app":{"version":"1.0","commit":"abc"},""" +
                """"model":{"name":"generator","file":"g.tflite","sha256":"00",""" +
                """"format":"tflite","precision":"int8","bytes":27},""" +
                """"backend":{"requested":"litert-gpu","used":"litert-cpu","threads":4,""" +
                """"partitions":1},"runs":{"warmup":5,"n":2},"stages":{"total":$stage},""" +
                """"check":{"psnr_db":41.0,"max_abs":0.1},""" +
                """"schema":1,"source":"android","how":"measured"}""",
            row.toJson()
        )
    }

    @Test
    fun `a self-test that is not finite leaves no number`() {
        assertEquals(Check(null, null), Check.of(SelfTest(Double.NaN, Double.NaN, 60.0)))
    }

    @Test
    fun `a row without a latency says why`() {
        assertThrows(IllegalArgumentException::class.java) {
            ResultRow(device, AppInfo("1", "a"), model, Ran("x", "x", 1), Runs(0, 0))
        }
    }
}

package org.mobilefsgan.litert

import java.nio.ByteBuffer
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.mobilefsgan.core.ModelException

class LitertRuntimeTest {
    @Test
    fun `a runtime without its native library says so in words`() {
        for (runtime in listOf(LitertRuntime.cpu(), LitertRuntime.gpu(halves = true))) {
            val error = assertThrows(ModelException::class.java) {
                runtime.load(ByteBuffer.allocateDirect(8), 2)
            }
            assertTrue(error.message!!.startsWith("${runtime.name} cannot run"), error.message)
        }
    }
}

package org.mobilefsgan.demo

import java.io.Closeable
import org.mobilefsgan.core.SelfTest

/**
 * Starts an engine and proves it before its first use on this device.
 *
 * A backend that does not start or misses the self-test is replaced by the CPU, with a reason.
 * Called on one thread.
 */
class SwapperHelper(
    private val engines: Engines,
    private val marker: StartMarker,
    private val settings: Settings
) : Closeable {
    /** The engine that runs, and what there is to say about its start. */
    class Started(val engine: Engine, val notice: Words)

    private var running: Engine? = null

    /**
     * Replaces the engine that runs by one for [wanted].
     *
     * @throws EngineError the CPU did not start either.
     */
    fun start(wanted: Choice): Started {
        close()
        val died = marker.left()?.takeIf { it != Backend.CPU && it == wanted.backend }
        val started = when {
            died != null -> onCpu(wanted, Words(R.string.last_start_died, died.label))
            wanted.backend == Backend.CPU -> provenCpu(wanted)
            else -> provenOrCpu(wanted)
        }
        running = started.engine
        return started
    }

    private fun provenOrCpu(wanted: Choice): Started = try {
        proven(wanted)
    } catch (missed: SelfTestMissed) {
        onCpu(wanted, missed.words)
    } catch (error: EngineError) {
        onCpu(wanted, Words(R.string.backend_failed, wanted.backend.label, error.message.orEmpty()))
    }

    private fun onCpu(wanted: Choice, why: Words) =
        Started(provenCpu(wanted.copy(backend = Backend.CPU)).engine, why)

    private fun provenCpu(choice: Choice): Started = try {
        proven(choice)
    } catch (missed: SelfTestMissed) {
        throw EngineError(missed.message.orEmpty(), missed)
    }

    /** The mark stays for the whole start: load and first run are where drivers end a process. */
    private fun proven(choice: Choice): Started = marker.during(choice.backend) {
        val engine = engines.load(choice)
        try {
            val label = engine.ran.choice.backend.label
            val psnrDb = settings.passed(engine.ran) ?: tested(engine)
            Started(engine, Words(R.string.self_test_passed, psnrDb, label))
        } catch (error: Throwable) {
            engine.close()
            throw error
        }
    }

    private fun tested(engine: Engine): Double {
        val test = engine.selfTest()
        if (!test.passed) throw SelfTestMissed(engine.ran.choice.backend, test)
        settings.markPassed(engine.ran, test)
        return test.psnrDb
    }

    override fun close() {
        running?.close()
        running = null
    }

    private class SelfTestMissed(backend: Backend, test: SelfTest) :
        Exception("the self-test gave ${test.psnrDb} dB, expected ${test.floorDb}") {
        val words = Words(R.string.self_test_failed, backend.label, test.psnrDb, test.floorDb)
    }
}

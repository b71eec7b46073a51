package org.mobilefsgan.demo

import android.content.res.AssetManager
import android.os.SystemClock
import java.io.InputStream
import org.mobilefsgan.core.Assets
import org.mobilefsgan.core.Bundle
import org.mobilefsgan.core.BundleException
import org.mobilefsgan.core.ModelException
import org.mobilefsgan.core.ModelKind
import org.mobilefsgan.core.ModelRuntime
import org.mobilefsgan.core.Precision

/** The bundle below `assets/bundle`. */
class BundleFolder(private val assets: AssetManager) : Assets {
    override fun open(path: String): InputStream = assets.open("bundle/$path")
}

/** Makes a runtime; the generator file's SHA-256 names its compiled program in the cache. */
typealias RuntimeOf = (sha256: String) -> ModelRuntime

/**
 * Engines from a bundle.
 *
 * @param runtimes by backend, those that this build has; the detectors always run on the CPU's.
 */
class BundleEngines(private val assets: Assets, private val runtimes: Map<Backend, RuntimeOf>) :
    Engines {
    private val bundle by lazy { Bundle(assets) }

    override fun offer(): Offer = inWords {
        val precisions = runtimes.mapValues { (_, runtime) ->
            bundle.precisions(runtime("").format).map { it.word }
        }
        Offer(bundle.manifest.name, precisions.filterValues { it.isNotEmpty() })
    }

    override fun load(choice: Choice): Engine = inWords {
        val since = SystemClock.elapsedRealtimeNanos()
        val made = runtimes[choice.backend]
            ?: throw EngineError("this build has no ${choice.backend.label}")
        val precision =
            Precision.entries.firstOrNull { it.word == choice.precision } ?: Precision.FP32
        val spec = bundle.manifest.find(ModelKind.GENERATOR, made("").format, precision)
        val cpu = runtimes.getValue(Backend.CPU)("")
        val parts = EngineParts.load(bundle, spec, made(spec.sha256), cpu, choice.threads)
        val loadMs = (SystemClock.elapsedRealtimeNanos() - since) / 1e6
        val threads = choice.copy(threads = parts.generator.threads)
        BundleEngine(bundle, parts, Ran(threads, spec, parts.generator.backend, loadMs))
    }
}

/** Runs [block]; what the bundle and the runtimes throw becomes an [EngineError]. */
internal fun <T> inWords(block: () -> T): T = try {
    block()
} catch (error: BundleException) {
    throw EngineError(error.message.orEmpty(), error)
} catch (error: ModelException) {
    throw EngineError(error.message.orEmpty(), error)
}

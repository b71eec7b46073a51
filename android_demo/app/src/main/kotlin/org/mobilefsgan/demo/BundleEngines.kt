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

/** A bundle in a folder of the assets. */
class BundleFolder(private val assets: AssetManager, private val folder: String) : Assets {
    override fun open(path: String): InputStream = assets.open("$folder/$path")
}

/** Makes a runtime; the generator file's SHA-256 names its compiled program in the cache. */
typealias RuntimeOf = (sha256: String) -> ModelRuntime

/**
 * Engines from bundles.
 *
 * @param folders the bundles' files by the folder's name, the first one being the usual one.
 * @param runtimes by backend, those that this build has; the detectors always run on the CPU's.
 */
class BundleEngines(
    private val folders: Map<String, Assets>,
    private val runtimes: Map<Backend, RuntimeOf>
) : Engines {
    private val bundles = folders.mapValues { (_, assets) -> lazy { Bundle(assets) } }

    override fun offers(): List<Offer> = inWords {
        bundles.map { (folder, made) ->
            val bundle = made.value
            val precisions = runtimes.mapValues { (_, runtime) ->
                bundle.precisions(runtime("").format).map { it.word }
            }
            Offer(folder, bundle.manifest.name, precisions.filterValues { it.isNotEmpty() })
        }
    }

    override fun load(choice: Choice): Engine = inWords {
        val since = SystemClock.elapsedRealtimeNanos()
        val made = runtimes[choice.backend]
            ?: throw EngineError("this build has no ${choice.backend.label}")
        val bundle = (bundles[choice.bundle] ?: bundles.values.first()).value
        val format = made("").format
        val there = bundle.precisions(format)
        val precision =
            there.find { it.word == choice.precision } ?: there.firstOrNull() ?: Precision.FP32
        val spec = bundle.manifest.find(ModelKind.GENERATOR, format, precision)
        val cpu = runtimes.getValue(Backend.CPU)("")
        val parts = EngineParts.load(bundle, spec, made(spec.sha256), cpu, choice.threads)
        val loadMs = (SystemClock.elapsedRealtimeNanos() - since) / 1e6
        val used = choice.copy(precision = precision.word, threads = parts.generator.threads)
        BundleEngine(bundle, parts, Ran(used, spec, parts.generator.backend, loadMs))
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

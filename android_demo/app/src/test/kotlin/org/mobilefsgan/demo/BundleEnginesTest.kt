package org.mobilefsgan.demo

import android.view.View
import android.widget.TextView
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.mobilefsgan.core.FolderAssets
import org.mobilefsgan.core.Format
import org.mobilefsgan.demo.camera.FrameSource
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config

/** The app with bundles of files: real manifests and hashes, and a fake runtime behind them. */
class BundleApp : DemoApp() {
    lateinit var made: Engines
    override val engines: Engines get() = made

    override fun frames(): FrameSource = FakeCamera()
}

/** What lies in a bundle's folder is checked before any runtime sees it. */
@RunWith(RobolectricTestRunner::class)
@Config(application = BundleApp::class)
class BundleEnginesTest {
    @get:Rule
    val folder = TemporaryFolder()
    private val runtime = FakeRuntime()
    private lateinit var bundle: TestBundle
    private var at: ActivityController<MainActivity>? = null
    private val state get() = at!!.get().model.state

    @Before
    fun aBundle() {
        bundle = TestBundle(folder.newFolder("bundle"))
    }

    @After
    fun everythingIsClosed() {
        at?.pause()?.stop()?.destroy()
        waitUntil("every model is closed") { runtime.open.get() == 0 }
    }

    private fun engines(
        names: List<String> = listOf("bundle"),
        backends: Set<Backend> = setOf(Backend.CPU),
        runtime: FakeRuntime = this.runtime
    ) = BundleEngines(
        names.associateWith { FolderAssets(folder.root.resolve(it)) },
        backends.associateWith { { _: String -> runtime } }
    )

    /** Starts the app, up to the engine or the words of its refusal. */
    private fun start(engines: Engines = engines()) {
        (RuntimeEnvironment.getApplication() as BundleApp).made = engines
        at = Robolectric.buildActivity(MainActivity::class.java).setup()
        waitUntil("the engine is ready or refused") {
            state.engine is EngineState.Ready || state.engine is EngineState.Failed
        }
    }

    private fun assertRefused(vararg words: String) {
        assertTrue("refused", state.engine is EngineState.Failed)
        val said = at!!.find<TextView>(R.id.words).text.toString()
        for (word in words) assertTrue(said, word in said)
        assertEquals(View.VISIBLE, at!!.find<View>(R.id.act).visibility)
    }

    @Test
    fun aWholeBundleRunsAndPassesItsSelfTest() {
        start()
        assertTrue("ready", state.engine is EngineState.Ready)
        assertEquals("Self-test 200.0 dB on CPU", at!!.find<TextView>(R.id.notice).text.toString())
        assertEquals(listOf("near", "far", "mesh", "generator int8"), runtime.loaded)
    }

    @Test
    fun aGeneratorWithOneBitChangedIsRefusedInWords() {
        bundle.damage("generator-int8.tflite")
        start()
        assertRefused("generator-int8.tflite", "damaged or exchanged", "Install the app again")
        assertFalse("no runtime saw it", runtime.loaded.any { it.startsWith("generator") })
    }

    @Test
    fun aDetectorWithOneBitChangedIsRefusedInWords() {
        bundle.damage("detectors/mesh.tflite")
        start()
        assertRefused("detectors/mesh.tflite", "damaged or exchanged")
        assertEquals(listOf("near", "far"), runtime.loaded)
    }

    @Test
    fun aManifestOfAnUnknownSchemaIsRefusedInWords() {
        bundle.rewrite("manifest.json") { it.replace("\"schema\":1", "\"schema\":99") }
        start()
        assertRefused("schema 99", "this app reads schema 1")
        assertTrue("nothing was loaded", runtime.loaded.isEmpty())
    }

    @Test
    fun aBundleThatIsPutRightStartsAtTheNextTry() {
        bundle.damage("generator-int8.tflite")
        start()
        bundle.damage("generator-int8.tflite") // the same bit again
        at!!.find<View>(R.id.act).performClick()
        waitUntil("the engine is ready") { state.engine is EngineState.Ready }
    }

    @Test
    fun aBackendIsOfferedOnlyWhereItsRuntimeIs() {
        val offered = engines(backends = setOf(Backend.CPU, Backend.ONNX)).offers().single()
        assertEquals(setOf(Backend.CPU, Backend.ONNX), offered.precisions.keys)
        val without = engines()
        assertEquals(setOf(Backend.CPU), without.offers().single().precisions.keys)
        val error = assertThrows(EngineError::class.java) {
            without.load(Choice("int8", Backend.ONNX))
        }
        assertEquals("this build has no ONNX", error.message)
    }

    @Test
    fun aBundleWithoutTheAskedPrecisionRunsInOneThatItHas() {
        TestBundle(folder.newFolder("bundle-float"), precisions = listOf("fp32"))
        engines(listOf("bundle-float")).load(Choice()).use {
            assertEquals("fp32", it.ran.choice.precision)
            assertEquals("generator-fp32.tflite", it.ran.spec.file)
        }
    }

    @Test
    fun halfPrecisionHasTheGateOfAnFp16File() {
        val near = engines(
            backends = setOf(Backend.CPU, Backend.GPU, Backend.GPU_FP16),
            runtime = FakeRuntime(off = 0.003f) // 50.5 dB
        )
        val passed = listOf(Backend.CPU, Backend.GPU, Backend.GPU_FP16).associateWith {
            near.load(Choice("fp32", it)).use { engine -> engine.selfTest().passed }
        }
        assertEquals(
            mapOf(Backend.CPU to false, Backend.GPU to false, Backend.GPU_FP16 to true), passed
        )
    }

    @Test
    fun onnxRuntimeIsFoundWhereItsClassesAre() {
        val made = onnxRuntime()!!()
        assertEquals("onnx-cpu", made.name)
        assertEquals(Format.ONNX, made.format)
        val without = object : ClassLoader(javaClass.classLoader) {
            override fun loadClass(name: String): Class<*> =
                if (".onnx." in name) throw ClassNotFoundException(name) else super.loadClass(name)
        }
        assertNull(onnxRuntime(without))
    }

    @Test
    fun theGeneratorOfTheChosenBundleIsLoaded() {
        TestBundle(folder.newFolder("bundle-lite"), "example-lite").damage("generator-int8.tflite")
        val both = engines(listOf("bundle", "bundle-lite"))
        assertEquals(listOf("example", "example-lite"), both.offers().map { it.name })
        both.load(Choice("int8", bundle = "bundle")).close()
        assertThrows(EngineError::class.java) { both.load(Choice("int8", bundle = "bundle-lite")) }
        both.load(Choice("fp32", bundle = "bundle-lite")).close()
        both.load(Choice("fp32", bundle = "a bundle of an older version")).close()
    }
}

package org.mobilefsgan.core

/** A model whose outputs are what [answer] writes. */
class FakeModel(
    override val inputs: List<Tensor>,
    override val outputs: List<Tensor>,
    private val answer: FakeModel.() -> Unit = {}
) : SwapModel {
    override val backend = "fake"
    override val threads = 1
    var closed = 0

    override fun run() = answer()

    override fun close() {
        closed++
    }
}

/** A tensor of zeros. */
fun tensor(name: String, vararg shape: Int, dtype: DType = DType.FLOAT32): Tensor =
    Tensor.of(name, shape, dtype, dtype)

/** A generator of [edge] pixels that answers with its target, brighter by [brighter]. */
fun fakeGenerator(edge: Int, brighter: Float = 0.1f): Generator {
    val spec = TensorSpec(
        "target",
        listOf(1, edge, edge, 3),
        Layout.NHWC,
        DType.FLOAT32,
        listOf(0.0, 1.0),
        "RGB"
    )
    val embedding =
        TensorSpec("embedding", listOf(1, 4), Layout.NC, DType.FLOAT32, listOf(-1.0, 1.0))
    val model = FakeModel(
        listOf(tensor("target", 1, edge, edge, 3), tensor("embedding", 1, 4)),
        listOf(tensor("image", 1, edge, edge, 3))
    ) {
        val from = inputs[0].floats
        val to = outputs[0].floats
        for (i in 0 until inputs[0].count) to.put(i, from.get(i) + brighter)
    }
    return Generator(
        ModelSpec(
            ModelKind.GENERATOR, "generator-fp32.tflite", Format.TFLITE, Precision.FP32, "0", 1,
            listOf(spec, embedding), listOf(spec.copy(name = "image"))
        ),
        model
    )
}

/** A tracker that sees what it is told. */
class FakeTracker(private val face: Face) : FaceTracker {
    var looks = 0
    var sees = true

    override fun glance(pyramid: Pyramid, known: List<Face>): List<Face> = found(known)

    override fun find(
        pyramid: Pyramid,
        thorough: Boolean,
        known: List<Face>,
        leastPx: Double
    ): List<Face> = found(known)

    override fun track(pyramid: Pyramid, face: Face, into: Face): Boolean {
        into.set(this.face)
        return sees
    }

    private fun found(known: List<Face>): List<Face> {
        looks++
        return if (sees && known.isEmpty()) listOf(Face(face.mesh.copyOf(), 1.0)) else known
    }
}

/** A portrait of the vectors and the face in it. */
fun portrait(): Pair<Picture, Face> {
    val case = Vectors("portraits").cases[0]
    val mesh = Vectors.floats(case.part("mesh")).doubles()
    return Vectors.picture(case.part("image")) to Face(mesh, 1.0)
}

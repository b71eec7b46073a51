package org.mobilefsgan.core

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import kotlin.math.log10
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** A file of tests/vectors: what Python computes, for this code to replay. */
class Vectors(name: String) {
    private val data = Json.parseToJsonElement(File(folder, "$name.json").readText()).jsonObject

    /** Inputs and expected results. */
    val cases: List<JsonObject> = data.getValue("cases").jsonArray.map { it.jsonObject }

    /** How far this code may differ. */
    fun tolerance(key: String): Double = data.getValue("tolerance").jsonObject.number(key)

    companion object {
        private val folder = File(
            checkNotNull(System.getProperty("mobilefsgan.vectors")) {
                "the tests want -Dmobilefsgan.vectors=FOLDER, tests/vectors of the repository"
            }
        )

        /** The bytes of a raw file that a case names. */
        fun bytes(array: JsonObject): ByteArray = File(folder, array.text("file")).readBytes()

        /** The numbers of a raw float32 file. */
        fun floats(array: JsonObject): FloatArray {
            val floats = ByteBuffer.wrap(bytes(array)).order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
            return FloatArray(floats.remaining()).also { floats.get(it) }
        }

        /** A picture that a case names. */
        fun picture(array: JsonObject): Picture {
            val shape = array.getValue("shape").jsonArray.map { it.jsonPrimitive.int }
            return Picture.of(bytes(array), shape[1], shape[0])
        }
    }
}

fun JsonObject.part(key: String): JsonObject = getValue(key).jsonObject

fun JsonObject.text(key: String): String = getValue(key).jsonPrimitive.content

fun JsonObject.number(key: String): Double = getValue(key).jsonPrimitive.double

fun JsonObject.whole(key: String): Int = getValue(key).jsonPrimitive.int

fun JsonObject.flag(key: String): Boolean = getValue(key).jsonPrimitive.boolean

/** All numbers of nested lists, in order. */
fun JsonObject.numbers(key: String): DoubleArray = flat(getValue(key)).toDoubleArray()

fun JsonObject.affine(key: String): Affine = Affine(*numbers(key))

private fun flat(element: JsonElement): List<Double> = when (element) {
    is JsonArray -> element.flatMap(::flat)
    is JsonPrimitive -> listOf(element.double)
    is JsonObject -> error("numbers are expected, not $element")
}

/** Absolute differences of two arrays of one length, rising. */
fun differences(found: DoubleArray, wanted: DoubleArray): DoubleArray {
    check(found.size == wanted.size) { "${found.size} numbers; expected ${wanted.size}" }
    return DoubleArray(found.size) { abs(found[it] - wanted[it]) }.apply { sort() }
}

fun ByteArray.levels(): DoubleArray = DoubleArray(size) { level(it).toDouble() }

fun FloatArray.doubles(): DoubleArray = DoubleArray(size) { this[it].toDouble() }

/** PSNR in dB, peak 255, over the pixels where [wanted] differs from [before]. */
fun psnrOverMask(found: ByteArray, wanted: ByteArray, before: ByteArray): Double {
    var squares = 0.0
    var count = 0
    for (i in wanted.indices step 3) {
        if ((0 until 3).all { wanted[i + it] == before[i + it] }) continue
        for (c in i until i + 3) {
            val away = found.level(c) - wanted.level(c)
            squares += away * away
            count++
        }
    }
    return 10 * log10(255.0 * 255.0 / (squares / count))
}

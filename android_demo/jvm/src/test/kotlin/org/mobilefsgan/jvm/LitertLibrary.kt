package org.mobilefsgan.jvm

import java.io.File
import java.lang.foreign.Arena
import java.lang.foreign.FunctionDescriptor
import java.lang.foreign.Linker
import java.lang.foreign.MemoryLayout
import java.lang.foreign.MemorySegment
import java.lang.foreign.SymbolLookup
import java.lang.foreign.ValueLayout.ADDRESS
import java.lang.foreign.ValueLayout.JAVA_INT
import java.lang.foreign.ValueLayout.JAVA_LONG

/**
 * LiteRT's C library, as the Python wheel ai-edge-litert carries it.
 *
 * @param file `libLiteRt.so` in the folder of the package.
 */
class LitertLibrary(file: File) {
    private val symbols = SymbolLookup.libraryLookup(file.toPath(), Arena.global())

    // From 2.1.6 on a model is made within an environment.
    private val modelsWantEnvironment = version(file) >= listOf(2, 1, 6)

    /** Calls [name], whose last argument is where it puts an address; returns that address. */
    fun make(name: String, vararg arguments: Any): MemorySegment = Arena.ofConfined().use { arena ->
        val place = arena.allocate(ADDRESS)
        call(name, *arguments, place)
        place.get(ADDRESS, 0)
    }

    /** As [make], for a number. */
    fun count(name: String, vararg arguments: Any): Int = Arena.ofConfined().use { arena ->
        val place = arena.allocate(JAVA_LONG)
        call(name, *arguments, place)
        place.get(JAVA_LONG, 0).toInt()
    }

    /** Calls a function that answers with a status: 0 is success. */
    fun call(name: String, vararg arguments: Any) {
        val status = handle(name, arguments).invokeWithArguments(*arguments) as Int
        check(status == 0) { "$name answers with status $status" }
    }

    /** Calls a function that answers nothing. */
    fun destroy(name: String, what: MemorySegment) {
        Linker.nativeLinker().downcallHandle(symbol(name), FunctionDescriptor.ofVoid(ADDRESS))
            .invokeWithArguments(what)
    }

    /** A model in memory that stays there. */
    fun model(environment: MemorySegment, content: MemorySegment): MemorySegment {
        val size = content.byteSize()
        return if (modelsWantEnvironment) {
            make("LiteRtCreateModelFromBuffer", environment, content, size)
        } else {
            make("LiteRtCreateModelFromBuffer", content, size)
        }
    }

    private fun handle(name: String, arguments: Array<out Any>) =
        Linker.nativeLinker().downcallHandle(
            symbol(name),
            FunctionDescriptor.of(JAVA_INT, *Array(arguments.size) { layout(arguments[it]) })
        )

    private fun layout(argument: Any): MemoryLayout = when (argument) {
        is Int -> JAVA_INT
        is Long -> JAVA_LONG
        else -> ADDRESS
    }

    private fun symbol(name: String): MemorySegment = symbols.find(name).orElseThrow {
        IllegalStateException("this version of LiteRT has no $name")
    }

    /** The wheel's version, from the folder that pip writes beside the package. */
    private fun version(file: File): List<Int> {
        val wheels = file.absoluteFile.parentFile.parentFile.list().orEmpty()
        val name = wheels.first { it.matches(Regex("ai_edge_litert-.*\\.dist-info")) }
        return Regex("\\d+").findAll(name).map { it.value.toInt() }.take(3).toList()
    }

    private operator fun List<Int>.compareTo(other: List<Int>): Int =
        zip(other).map { (a, b) -> a.compareTo(b) }.firstOrNull { it != 0 } ?: 0
}

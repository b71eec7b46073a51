package org.mobilefsgan.core

/**
 * Runs [body] for every [step]th number from [from] on, below [until]. It is a loop and nothing
 * else: a range with a `step` would be an object, and a frame would allocate hundreds.
 */
internal inline fun stride(from: Int, until: Int, step: Int, body: (Int) -> Unit) {
    var i = from
    while (i < until) {
        body(i)
        i += step
    }
}

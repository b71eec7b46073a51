package org.mobilefsgan.core

private const val LEAST_SPREAD = 1e-12

/**
 * The rotation, uniform scale and shift that best map [points] onto [template], by least squares.
 * It never mirrors.
 *
 * @param points x and y in turn, in pixels, at least two points.
 * @param template as many.
 * @param into becomes the result.
 * @return [into]: template ≈ matrix (x, y, 1).
 */
fun fitSimilarity(points: DoubleArray, template: DoubleArray, into: Affine = Affine()): Affine {
    val middleX = Points.centreX(points)
    val middleY = Points.centreY(points)
    val goalX = Points.centreX(template)
    val goalY = Points.centreY(template)
    var along = 0.0
    var across = 0.0
    var spread = 0.0
    stride(0, points.size, 2) { i ->
        val x = points[i] - middleX
        val y = points[i + 1] - middleY
        val u = template[i] - goalX
        val v = template[i + 1] - goalY
        along += x * u + y * v
        across += x * v - y * u
        spread += x * x + y * y
    }
    val a = along / maxOf(spread, LEAST_SPREAD)
    val b = across / maxOf(spread, LEAST_SPREAD)
    return into.set(
        a, -b, goalX - (a * middleX - b * middleY),
        b, a, goalY - (b * middleX + a * middleY)
    )
}

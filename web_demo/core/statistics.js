/**
 * One stage of a result row; quantiles by linear interpolation.
 *
 * @param {number[]} latenciesMs at least one
 */
export function stageOf(latenciesMs) {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  return {
    n: sorted.length,
    mean_ms: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length,
    p50_ms: quantile(sorted, 0.5),
    p90_ms: quantile(sorted, 0.9),
    p99_ms: quantile(sorted, 0.99),
    min_ms: sorted[0],
    max_ms: sorted[sorted.length - 1],
  };
}

/**
 * @param {number[]} sorted
 * @param {number} share 0 to 1
 */
function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

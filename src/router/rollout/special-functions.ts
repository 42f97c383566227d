/** Functions of statistics that the language does not bring. */

// Stirling's series is exact to twelve digits from here on; smaller arguments are led there by the recurrence.
const STIRLING_FROM = 10;

/** Logarithm of the gamma function for x > 0. */
export function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  while (at < STIRLING_FROM) {
    shift += Math.log(at);
    at++;
  }
  const inverse = 1 / (at * at);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / at;
  return (at - 0.5) * Math.log(at) - at + HALF_LOG_TWO_PI + series - shift;
}

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** Logarithm of the beta function for a, b > 0. */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Logarithm of the normal distribution function at x >= 0 (Abramowitz and Stegun 26.2.17, seven digits). */
export function logNormalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * x);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return Math.log1p((-Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series);
}

/** y·ln p + (n − y)·ln(1 − p), where nothing of nothing is 0. */
export function logLikelihood(failures: number, count: number, share: number): number {
  const rest = count - failures;
  return (failures > 0 ? failures * Math.log(share) : 0) + (rest > 0 ? rest * Math.log1p(-share) : 0);
}

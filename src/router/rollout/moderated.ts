// As many degrees of freedom as the usual variance counts for.
const USUAL_DEGREES = 4;

/**
 * A variance estimated from few cells, drawn towards the usual one, which was estimated from many (Smyth 2004): few callers may agree by
 * chance, and their own variance would then make the smallest difference certain.
 */
export function moderated(own: number, effectiveCells: number, usual: number): number {
  const degrees = Math.max(0, effectiveCells - 1);
  return degrees === 0 ? own : (degrees * own + USUAL_DEGREES * usual) / (degrees + USUAL_DEGREES);
}

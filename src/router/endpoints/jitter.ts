/** Up to a fifth more or less, so that what began together does not go on together. */
export const jittered = (ms: number, random: () => number): number => ms * (0.8 + 0.4 * random());

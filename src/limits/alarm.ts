/** Rings once after so many milliseconds, unless the function it returns is called first. */
export type SetAlarm = (ms: number, ring: () => void) => () => void;

export const systemAlarm: SetAlarm = (ms, ring) => {
  const timer = setTimeout(ring, ms).unref();
  return () => clearTimeout(timer);
};

/** Rings once after so many milliseconds, unless the function it returns is called first. */
export type SetAlarm = (ms: number, ring: () => void) => () => void;

/**
 * When the event loop was busy for longer than an alarm takes, its time is over although what it waits for has come and was not read yet.
 * So the bell rings behind the next look at what has come.
 */
export const systemAlarm: SetAlarm = (ms, ring) => {
  let immediate: NodeJS.Immediate | null = null;
  const timer = setTimeout(() => {
    immediate = setImmediate(ring);
  }, ms).unref();
  return () => {
    clearTimeout(timer);
    if (immediate !== null) clearImmediate(immediate);
  };
};

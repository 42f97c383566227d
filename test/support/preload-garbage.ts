/**
 * Loaded into a gateway before its own code: SIGUSR2 fills memory with buffers of SLUICE_TEST_GARBAGE_BYTES for a second, and leaves them for a
 * collection.
 */
const TOTAL_BYTES = 536_870_912;
const HELD_MS = 1_000;
/** Small ones that stay, so that the allocator cannot give back what lies below them. */
const PIN_BYTES = 8_192;
const PINS = 64;

const bytes = Number(process.env['SLUICE_TEST_GARBAGE_BYTES']);
const pins: Buffer[] = [];

process.on('SIGUSR2', () => {
  let held: Buffer[] = [];
  const count = Math.ceil(TOTAL_BYTES / bytes);
  for (let i = 0; i < count; i++) {
    held.push(Buffer.alloc(bytes, 1));
    if (i % Math.ceil(count / PINS) === 0) pins.push(Buffer.alloc(PIN_BYTES, 1));
  }
  setTimeout(() => (held = []), HELD_MS);
});

/** Loaded into a gateway before its own code: each SIGUSR2 sets its wall clock wrong by the next of SLUICE_TEST_SHIFTS_MS. */
const shifts = (process.env['SLUICE_TEST_SHIFTS_MS'] ?? '').split(',').map(Number);
let shiftMs = 0;

const RealDate = Date;
class ShiftedDate extends RealDate {
  constructor(...time: []) {
    super(...((time.length === 0 ? [ShiftedDate.now()] : time) as []));
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
}
globalThis.Date = ShiftedDate as DateConstructor;

process.on('SIGUSR2', () => {
  shiftMs = shifts.shift() ?? 0;
  process.stdout.write(`the clock is wrong by ${shiftMs} ms\n`);
});

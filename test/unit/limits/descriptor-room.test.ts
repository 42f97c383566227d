import { closeSync, openSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DescriptorRoom, ownDescriptors } from '../../../src/limits/descriptor-room.ts';

/** A process whose connections stay open until a test closes them. */
class Scene {
  open = 0;
  looks = 0;
  readonly changes: (readonly [boolean, number])[] = [];
  readonly room: DescriptorRoom;

  constructor(limit: number, percent: number) {
    const count = (): number => {
      this.looks++;
      return this.open;
    };
    this.room = new DescriptorRoom({ limit, count }, percent, (isFull, open) => this.changes.push([isFull, open]));
  }

  connect(): boolean {
    const taken = this.room.take();
    if (taken) this.open++;
    return taken;
  }
}

describe('the room for descriptors', () => {
  it('ends exactly at its share of the limit, is said once, and comes back with the first that is free', () => {
    const scene = new Scene(1_000, 90);
    let taken = 0;
    for (let i = 0; i < 2_000; i++) if (scene.connect()) taken++;
    expect([taken, scene.changes]).toEqual([900, [[true, 900]]]);
    scene.open--;
    expect([scene.connect(), scene.connect()]).toEqual([true, false]);
    expect(scene.changes).toEqual([
      [true, 900],
      [false, 899],
      [true, 900],
    ]);
  });

  it('looks once for many connections while there is plenty', () => {
    const scene = new Scene(100_000, 90);
    for (let i = 0; i < 6_400; i++) scene.connect();
    expect(scene.looks).toBe(100);
  });

  it('is never passed by connections, whatever else comes and goes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 500 }),
        fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 200 }),
        (limit, steps) => {
          const scene = new Scene(limit, 90);
          const threshold = Math.floor(limit * 0.9);
          for (const step of steps) {
            if (step < 0) scene.open = Math.max(0, scene.open + step);
            for (let i = 0; i < step; i++) scene.connect();
            expect(scene.open).toBeLessThanOrEqual(threshold);
          }
        },
      ),
      { seed: 20_264 },
    );
  });

  it.runIf(process.platform === 'linux')('is told by Linux how many descriptors are open', () => {
    const own = ownDescriptors()!;
    const before = own.count();
    const opened = Array.from({ length: 10 }, () => openSync('package.json', 'r'));
    expect(own.count() - before).toBe(10);
    for (const descriptor of opened) closeSync(descriptor);
    expect(own.limit).toBeGreaterThan(before);
  });
});

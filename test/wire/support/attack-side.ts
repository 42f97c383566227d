/** Attackers in a process of their own, each of which comes back as soon as its connection has ended. Told in the first argument. */

import type { AttackOrder, AttackReport } from './attack.ts';
import { Attacker } from './attacker.ts';
import { floods, noRoom } from './floods.ts';

const { port, flood: name, target, connections, message, comesBackAfterMs } = JSON.parse(process.argv[2]!) as AttackOrder;
const flood = [...floods(target), noRoom(target, 256, Buffer.from(message, 'base64'))].find((one) => one.name === name)!;
const codes: Record<string, number> = {};
const attackers = new Set<Attacker>();
let running = true;

async function attack(): Promise<void> {
  while (running) {
    const attacker = new Attacker(port, flood);
    attackers.add(attacker);
    await attacker.ended;
    attackers.delete(attacker);
    if (!running) return;
    codes[attacker.code] = (codes[attacker.code] ?? 0) + 1;
    await new Promise((done) => setTimeout(done, comesBackAfterMs));
  }
}

process.on('message', (order) => {
  if (order === 'begin') for (let i = 0; i < connections; i++) void attack();
  else {
    running = false;
    const report: AttackReport = { codes };
    process.send!(report, () => process.exit(0));
  }
});
process.on('disconnect', () => process.exit(0));
process.send!('ready');

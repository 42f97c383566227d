import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { FrameView } from './frame-view.ts';
import { Overheard } from './overheard.ts';
import { Said } from './said.ts';

/** Two engines are told the same, frame by frame, and after each frame what they have said so far is compared. */

/** One thing that the two do not agree on. */
export interface Difference {
  readonly about: 'connection' | 'stream' | 'call' | 'pings' | 'settings' | 'frames';
  readonly streamId: number;
  /** In words, as Overheard has them; of a connection its last code, -1 for none, or empty while it stands. */
  readonly own: string;
  readonly node: string;
}

/** What is known when they differ. */
export interface Moment {
  /** What both have just been told. */
  readonly frame: FrameView;
  /** What they had been told before that. */
  readonly said: Said;
  readonly own: Overheard;
  readonly node: Overheard;
  /** The header block before this frame was not over. */
  readonly inBlock: boolean;
  /** What ours had said on the frame's stream before it. */
  readonly before: number;
  /** Those of the header block that this frame has completed. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** A difference that RFC 9113 allows, or that is decided. */
export interface Permit {
  readonly name: string;
  /** Where it is allowed. */
  readonly section: string;
  /** The stream is not looked at again; a difference that may come and go is looked at each time. */
  readonly forGood: boolean;
  covers(difference: Difference, moment: Moment): boolean;
}

export interface Mismatch {
  readonly step: number;
  readonly frame: string;
  readonly differences: readonly Difference[];
}

export interface DuelEnd {
  /** The first difference that nothing permits; null when there is none. */
  readonly mismatch: Mismatch | null;
  /** Names of the permits that were made use of. */
  readonly permitted: ReadonlySet<string>;
  /** Frames that both were told. */
  readonly steps: number;
}

/** The ends of two connections on which the engines hear `tell` and are heard. */
export interface Pair {
  readonly own: Overheard;
  readonly node: Overheard;
  /** What both have been told already. */
  readonly greeting: Buffer;
  tell(bytes: Buffer): void;
  /** What has become of the calls of a client, by their streams. */
  calls(): readonly { readonly streamId: number; readonly own: string; readonly node: string }[];
  close(): void;
}

/** As many turns of the event loop as both take to say what they have to say: all is in one process, and on loopback. */
export async function settled(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await turn();
}

export async function duel(pair: Pair, frames: readonly Buffer[], permits: readonly Permit[], turns: number): Promise<DuelEnd> {
  const { own, node } = pair;
  const said = new Said();
  const greeting = new FrameView(pair.greeting);
  said.fieldsOf(greeting);
  said.take(greeting);
  const permitted = new Set<string>();
  const parted = new Set<number>();
  let inBlock = false;
  let step = 0;
  for (const bytes of frames) {
    const frame = new FrameView(bytes, said.begun.size === 0 && bytes.toString('latin1', 0, 3) === 'PRI');
    const before = own.of(frame.streamId).length;
    pair.tell(bytes);
    await settled(turns);
    step++;
    const moment = { frame, said, own, node, inBlock, before, fields: said.fieldsOf(frame) };
    const left: Difference[] = [];
    for (const difference of differences(pair)) {
      if (parted.has(difference.streamId)) continue;
      const permit = permits.find((one) => one.covers(difference, moment));
      if (permit === undefined) left.push(difference);
      else {
        permitted.add(permit.name);
        if (permit.forGood && difference.streamId > 0) parted.add(difference.streamId);
      }
    }
    if (left.length > 0) return { mismatch: { step, frame: String(frame), differences: left }, permitted, steps: step };
    if (own.ended || node.ended || own.farewells.length > 0 || node.farewells.length > 0) break;
    said.take(frame);
    inBlock = frame.isOfBlock ? frame.leavesBlockOpen : inBlock;
  }
  return { mismatch: null, permitted, steps: step };
}

function differences({ own, node, calls }: Pair): Difference[] {
  const found: Difference[] = [];
  const compare = (about: Difference['about'], streamId: number, ours: string, theirs: string): void => {
    if (ours !== theirs) found.push({ about, streamId, own: ours, node: theirs });
  };
  compare('frames', 0, own.broken, '');
  compare('frames', 0, '', node.broken);
  compare('connection', 0, ending(own), ending(node));
  // What an engine that ends a connection still says of others on it is its own affair (RFC 9113, 5.4.1); what both say is the same.
  const isOver = ending(own) !== '' || ending(node) !== '';
  for (const streamId of new Set([...own.streams.keys(), ...node.streams.keys()])) {
    const ours = own.of(streamId).join('; ');
    const theirs = node.of(streamId).join('; ');
    if (!isOver || !(ours.startsWith(theirs) || theirs.startsWith(ours))) compare('stream', streamId, ours, theirs);
  }
  if (isOver) return found;
  for (const call of calls()) compare('call', call.streamId, call.own, call.node);
  compare('pings', 0, own.pings.join(), node.pings.join());
  compare('settings', 0, String(own.settingsAcks), String(node.settingsAcks));
  return found;
}

function ending(heard: Overheard): string {
  return heard.closed || heard.farewells.length > 0 ? String(heard.code) : '';
}

/** A raw connection to a server, and what comes back on it. */
export async function rawClient(port: number): Promise<{ readonly socket: Socket; readonly heard: Overheard }> {
  const heard = new Overheard('server');
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('data', (chunk: Buffer) => heard.read(chunk));
  socket.on('error', () => undefined);
  const close = (): void => {
    heard.closed = true;
  };
  socket.on('end', close);
  socket.on('close', close);
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, heard };
}

/** A client that says the same to two servers. */
export async function pairOfServers(ownPort: number, nodePort: number): Promise<Pair> {
  const [own, node] = await Promise.all([rawClient(ownPort), rawClient(nodePort)]);
  return {
    own: own.heard,
    node: node.heard,
    greeting: Buffer.alloc(0),
    tell: (bytes) => {
      for (const { socket, heard } of [own, node]) if (!heard.closed) socket.write(bytes);
    },
    calls: () => [],
    close: () => {
      own.socket.destroy();
      node.socket.destroy();
    },
  };
}

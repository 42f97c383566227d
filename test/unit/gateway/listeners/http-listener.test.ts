import { expect, it, vi } from 'vitest';
import { httpListen } from '../../../../src/config/listen-schema.ts';
import { HttpListener } from '../../../../src/gateway/listeners/http-listener.ts';
import { httpListenerContract } from '../../../support/contracts/http-listener-contract.ts';
import { openDoor } from '../../../support/open-door.ts';
import { RawConnection } from '../../../support/raw-http.ts';
import { answer, RecordingFront } from '../../../support/recording-front.ts';

httpListenerContract('HttpListener', (config, options, front) => new HttpListener(config, { tls: null, ...options }, front));

it('ends connections that had their answers when it is asked to, and neither busy ones nor those that are new', async () => {
  const front = new RecordingFront();
  const listener = new HttpListener(httpListen.parse({}), { tls: null }, front);
  const door = await openDoor(listener);
  const [idle, busy, fresh] = [
    await RawConnection.open(door.port),
    await RawConnection.open(door.port),
    await RawConnection.open(door.port),
  ];
  idle.send('GET /v2/health/ready HTTP/1.1\r\nHost: gate\r\n\r\n');
  await idle.untilAnswers(1);
  front.onComplete = () => {};
  busy.send('POST /v2/models/m/infer HTTP/1.1\r\nHost: gate\r\nContent-Length: 2\r\n\r\nhi');
  await vi.waitFor(() => expect(front.visits[1]?.events).toContain('complete'));
  listener.closeIdle();
  await idle.untilEnd();
  front.visits[1]!.exit.send(answer(200, 'done'));
  const [found] = await busy.untilAnswers(1);
  expect(found).toMatchObject({ status: 200, body: 'done' });
  front.onComplete = ({ exit }) => exit.send(answer(200, 'let in'));
  fresh.send('GET /v2/health/ready HTTP/1.1\r\nHost: gate\r\n\r\n');
  expect((await fresh.untilAnswers(1))[0]).toMatchObject({ status: 200, body: 'let in' });
  fresh.destroy();
  busy.destroy();
  await door.drain(0);
});

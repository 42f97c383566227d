import { expect, it } from 'vitest';
import { httpListen } from '../../../../src/config/listen-schema.ts';
import { HttpListener } from '../../../../src/gateway/listeners/http-listener.ts';
import { httpListenerContract } from '../../../support/contracts/http-listener-contract.ts';
import { openDoor } from '../../../support/open-door.ts';
import { RawConnection } from '../../../support/raw-http.ts';
import { answer, RecordingFront } from '../../../support/recording-front.ts';

httpListenerContract('HttpListener', (config, options, front) => new HttpListener(config, { tls: null, ...options }, front));

it('ends connections on which nothing is under way when it is asked to, and no others', async () => {
  const front = new RecordingFront();
  front.onComplete = () => {};
  const listener = new HttpListener(httpListen.parse({}), { tls: null }, front);
  const door = await openDoor(listener);
  const [idle, busy] = [await RawConnection.open(door.port), await RawConnection.open(door.port)];
  busy.send('POST /v2/models/m/infer HTTP/1.1\r\nHost: gate\r\nContent-Length: 2\r\n\r\nhi');
  await front.heard('complete');
  listener.closeIdle();
  await idle.untilEnd();
  front.only.exit.send(answer(200, 'done'));
  const [found] = await busy.untilAnswers(1);
  expect(found).toMatchObject({ status: 200, body: 'done' });
  busy.destroy();
  await door.drain(0);
});

/** h2load, the native load generator of nghttp2: a closed loop of equal questions over HTTP/2 or HTTP/1.1, so many of them to the one. */

import { spawn } from 'node:child_process';

export interface Load {
  readonly protocol: 'h2' | 'http/1.1';
  readonly port: number;
  readonly path: string;
  /** A file with the body of each question. */
  readonly bodyFile: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly calls: number;
  readonly connections: number;
  /** In flight on each connection. */
  readonly streams: number;
}

export interface LoadResult {
  /** Answers with HTTP status 200; the status of gRPC is not seen here, and has to be checked by the server's own counts. */
  readonly answered: number;
  readonly perSecond: number;
}

/** Rejects when the tool cannot be started or its report cannot be read. */
export function runH2load(load: Load, launcher: readonly string[]): Promise<LoadResult> {
  const headers = Object.entries(load.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const [command, ...args] = [
    ...launcher,
    'h2load',
    ...(load.protocol === 'h2' ? [] : ['--h1']),
    ...['-n', String(load.calls), '-c', String(load.connections), '-m', String(load.streams), '-d', load.bodyFile],
    ...headers,
    `http://127.0.0.1:${load.port}${load.path}`,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let report = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      report += piece;
    });
    child.once('error', (error) => reject(new Error(`h2load cannot be started (${error.message}).`)));
    child.once('close', () => {
      const answered = /^status codes: (\d+) 2xx/m.exec(report)?.[1];
      const perSecond = /finished in \S+, ([\d.]+) req\/s/.exec(report)?.[1];
      if (answered === undefined || perSecond === undefined)
        reject(new Error(`h2load has reported nothing that can be read:\n${report}`));
      else resolve({ answered: Number(answered), perSecond: Number(perSecond) });
    });
  });
}

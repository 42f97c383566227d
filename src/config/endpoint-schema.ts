import { z } from 'zod';
import { count, timeoutMs } from './fields.ts';

/** The endpoints of a backend: where its servers are, how their health is watched, and when one is left out. */

/** More belong behind a name that the gateway resolves. */
const MAX_ENDPOINTS = 64;

/** Shorter ones would keep the event loop and the servers busy with nothing else. */
const interval = z.int().min(100).max(3_600_000);
const millisecondsOrNone = z.int().min(0).max(3_600_000);
const wholePercent = z.int().min(0).max(100);

/** `host:port`, with brackets around an IPv6 address. */
const hostAndPort = z
  .string()
  .regex(/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/, 'expected host:port, with an IPv6 address in brackets')
  .refine((address) => URL.canParse(`http://${address}`), 'expected a host name or an IP address, and a port of at most 65535');

const httpUrl = z
  .string()
  .regex(
    /^https?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*\/?$/,
    'expected http://host:port or https://host:port, at most with a path behind it, without user, query and fragment',
  )
  .refine((url) => URL.canParse(url), 'expected a port of at most 65535');

export const grpcEndpoints = z
  .array(hostAndPort)
  .min(1)
  .max(MAX_ENDPOINTS)
  .describe('Servers that speak the Open Inference Protocol, host:port; each address of a name is an endpoint.');

export const httpEndpoints = z
  .array(httpUrl)
  .min(1)
  .max(MAX_ENDPOINTS)
  .describe(
    'Servers that speak the Open Inference Protocol or V1 over HTTP/1.1, as URLs; a path is put before the routes. Each address of a name is an endpoint.',
  );

const probe = z.strictObject({
  intervalMs: interval.default(5_000).describe('Time between probes of an endpoint that is well, a fifth more or less.'),
  recoveryMs: interval
    .default(1_000)
    .describe('Time between probes of one that is not, or did not answer the last one; between tries to warm a new one.'),
  timeoutMs: timeoutMs.default(1_000).describe('Time for a probe to be answered.'),
  unhealthyAfter: count.max(100).default(3).describe('Failed probes in a row that make an endpoint unhealthy.'),
  healthyAfter: count.max(100).default(2).describe('Good probes in a row that make it healthy again.'),
});

const successRate = z.strictObject({
  windowMs: timeoutMs.default(10_000).describe('Time that is looked back on.'),
  minCalls: count.default(20).describe('Calls that an endpoint, and the others together, must have had in it.'),
  gapPercent: wholePercent.default(30).describe('Percentage points below the others at which an endpoint is ejected.'),
});

const ejection = z.strictObject({
  consecutiveFailures: count
    .max(100)
    .default(3)
    .describe('Failed calls in a row that eject an endpoint; with one endpoint in all they open its circuit.'),
  successRate: successRate
    .nullable()
    .prefault({})
    .describe('Eject an endpoint whose share of good calls lies below that of the others; null turns it off.'),
  baseMs: timeoutMs.default(1_000).describe('Time that the first ejection lasts; the second lasts twice as long, and so on.'),
  maxMs: timeoutMs.default(4_000).describe('Longest time an ejection lasts.'),
  forgiveMs: timeoutMs.default(30_000).describe('Time in good standing after which one earlier ejection is forgotten.'),
  maxEjectedPercent: wholePercent
    .default(50)
    .describe('Share of the endpoints that may be ejected at the same time; at least one always may.'),
});

/** Keys that gRPC and HTTP backends share. */
export const endpointKeys = {
  resolveMs: interval.default(5_000).describe('Time between look-ups of the names among the endpoints, a fifth more or less.'),
  drainMs: timeoutMs.default(30_000).describe('Time for the calls of an endpoint that left its name; then they are cut.'),
  slowStartMs: millisecondsOrNone
    .default(10_000)
    .describe('Time in which the share of a new or readmitted endpoint grows to that of the others; 0 gives it at once.'),
  probe: probe.nullable().prefault({}).describe('Ask endpoints whether they are ready; null leaves it to the calls.'),
  ejection: ejection.prefault({}).describe('When calls fail at an endpoint.'),
};

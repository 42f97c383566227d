import { describe, expect, it } from 'vitest';
import { CLOSED, dialReason, unspokenReason } from '../../../../../src/wire/http2/client/dial-reason.ts';

const failed = (code: string, more: object = {}): Error =>
  Object.assign(new Error('40EDA713087F0000:error:0A00045C:SSL routines:x:../deps/openssl/a.c:918:SSL alert 1\n'), {
    code,
    ...more,
  });

describe('dialReason', () => {
  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', /tls\.caFile\. \(SELF_SIGNED_CERT_IN_CHAIN\)$/],
    ['CERT_HAS_EXPIRED', /expired/],
    ['CERT_NOT_YET_VALID', /not valid yet/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /asks for a client certificate; name one in tls\.certFile/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /does not take the client certificate/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/],
  ])('says of %s what to do', (code, words) => {
    const text = dialReason(failed(code));
    expect(text).toMatch(words);
    // Logs quote two hundred characters, and a word stands ahead of this.
    expect(text.length).toBeLessThan(170);
  });

  it('names both sides of a name that does not fit', () => {
    const error = failed('ERR_TLS_CERT_ALTNAME_INVALID', { host: 'a.test', reason: 'Host: a.test. is not in the list' });
    expect(dialReason(error)).toBe(
      'The certificate of the server is not one for a.test; name another in tls.serverName, or renew it. (Host: a.test. is not in the list)',
    );
  });

  it('takes the short words of OpenSSL for what it does not know, and those of the system as they are', () => {
    expect(dialReason(failed('ERR_SSL_ODD', { reason: 'odd thing' }))).toBe('TLS failed: odd thing. (ERR_SSL_ODD)');
    expect(dialReason(new Error('connect ECONNREFUSED 127.0.0.1:1'))).toBe('connect ECONNREFUSED 127.0.0.1:1');
    expect(dialReason(new Error(''))).toBe('Error');
  });

  it('thinks of certificates where a server closes without a word', () => {
    expect(unspokenReason(CLOSED, true)).toContain('client certificate');
    expect(unspokenReason(CLOSED, false)).not.toContain('certificate');
    expect(unspokenReason('reset', true)).not.toContain('certificate');
  });
});

/** Why no connection came about, in words that say what to do: OpenSSL's own are about its source code. */

interface DialError extends Error {
  readonly code?: string;
  /** OpenSSL's words without their surroundings. */
  readonly reason?: string;
  /** The name that a certificate was held against. */
  readonly host?: string;
}

const UNTRUSTED = 'No authority that is trusted has signed the certificate of the server; name the one that has in tls.caFile.';
const NOT_TAKEN = 'The server does not take the client certificate; check tls.certFile.';
const NO_TLS = 'The server does not speak TLS on this port.';

const REASONS: ReadonlyMap<string, string> = new Map([
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['CERT_HAS_EXPIRED', 'The certificate of the server, or of its authority, has expired.'],
  ['CERT_NOT_YET_VALID', 'The certificate of the server, or of its authority, is not valid yet; check the clocks of both.'],
  [
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'The server asks for a client certificate; name one in tls.certFile and tls.keyFile.',
  ],
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'The server refused the TLS handshake; it may ask for a client certificate.'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', NOT_TAKEN],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', NOT_TAKEN],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', NOT_TAKEN],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'The server does not take the client certificate, since it has expired.'],
  ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'The server does not speak HTTP/2 (ALPN).'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', NO_TLS],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', NO_TLS],
]);

export function dialReason(error: DialError): string {
  const { code = '', host = '', reason = '', message } = error;
  const known = REASONS.get(code);
  if (known !== undefined) return `${known} (${code})`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `The certificate of the server is not one for ${host}; name another in tls.serverName, or renew it. (${reason})`;
  }
  if (code.startsWith('ERR_SSL_') && reason !== '') return `TLS failed: ${reason}. (${code})`;
  return message === '' ? String(error) : message;
}

/** The other side has closed a connection without a word. */
export const CLOSED = 'The connection was closed by the server.';

/** Of a connection that was lost before the server has spoken HTTP/2. Over TLS 1.3 that is how some refuse a client certificate. */
export function unspokenReason(reason: string, secure: boolean): string {
  const hint = secure && reason === CLOSED ? ' Its TLS may want another client certificate.' : '';
  return `Connection lost before the server spoke: ${reason}${hint}`;
}

/** The host of a `host:port` or a URL as config has it, without the brackets of an IPv6 address. */
export function hostOf(endpoint: string): string {
  const url = endpoint.includes('://') ? endpoint : `http://${endpoint}`;
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

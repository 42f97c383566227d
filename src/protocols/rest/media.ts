/** Whether the body is what it has to be, by its header fields. Values come as clients write them: any case, parameters, spaces. */

const JSON_TYPE = 'application/json';

/** `application/json` with any parameters. A client that says nothing is believed to send JSON. */
export function isJson(contentType: string): boolean {
  if (contentType === JSON_TYPE || contentType === '') return true;
  const semicolon = contentType.indexOf(';');
  const type = semicolon === -1 ? contentType : contentType.slice(0, semicolon);
  return type.trim().toLowerCase() === JSON_TYPE;
}

/** No coding at all. */
export function isIdentity(contentEncoding: string): boolean {
  return contentEncoding === '' || contentEncoding.trim().toLowerCase() === 'identity';
}

/** What header fields say about bodies. Values come as clients write them: any case, parameters, spaces. */

const JSON_TYPE = 'application/json';
/** What curl says of `-d` unless it is told otherwise; nobody sends tensors as a form. */
const CURL_TYPE = 'application/x-www-form-urlencoded';
const OCTETS = 'application/octet-stream';
const SAGEMAKER = 'application/vnd.sagemaker-triton.binary+json';
const SAGEMAKER_SIZE = 'json-header-size';

/** The content types of requests: JSON (or none stated), bytes, and SageMaker's, which carries the length of its JSON head itself. */
export type Media = 'json' | 'bytes' | 'sagemaker' | 'other';

/** How a body is packed. `other` is every coding that is not served. */
export type Coding = 'identity' | 'gzip' | 'deflate' | 'other';

/** A client that says nothing is believed to send JSON. @hot */
export function mediaOf(contentType: string): Media {
  if (contentType === JSON_TYPE || contentType === '') return 'json';
  const semicolon = contentType.indexOf(';');
  const type = (semicolon === -1 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  if (type === JSON_TYPE || type === CURL_TYPE) return 'json';
  if (type === OCTETS) return 'bytes';
  return type === SAGEMAKER ? 'sagemaker' : 'other';
}

/** The length of the JSON head that SageMaker's content type states, as text; empty when it states none. */
export function sageMakerSize(contentType: string): string {
  const parameters = contentType.split(';', 4);
  for (let i = 1; i < parameters.length; i++) {
    const [name, value = ''] = parameters[i]!.split('=', 2);
    if (name!.trim().toLowerCase() === SAGEMAKER_SIZE) return value.trim();
  }
  return '';
}

/** The content type of an answer whose JSON head has `jsonBytes`, as the request's own type wants it. */
export function binaryType(requestType: string, jsonBytes: number): string {
  return mediaOf(requestType) === 'sagemaker' ? `${SAGEMAKER};${SAGEMAKER_SIZE}=${jsonBytes}` : OCTETS;
}

/** @hot */
export function codingOf(contentEncoding: string): Coding {
  if (contentEncoding === '') return 'identity';
  const coding = contentEncoding.trim().toLowerCase();
  if (coding === 'gzip' || coding === 'x-gzip') return 'gzip';
  return coding === 'deflate' || coding === 'identity' ? coding : 'other';
}

/** The coding that `Accept-Encoding` likes best among those served; identity where it asks for neither. */
export function acceptedCoding(acceptEncoding: string): Coding {
  if (acceptEncoding === '') return 'identity';
  let gzip = -1;
  let deflate = -1;
  let plain = 0;
  let any = 0;
  for (const item of acceptEncoding.split(',')) {
    const semicolon = item.indexOf(';');
    const name = (semicolon === -1 ? item : item.slice(0, semicolon)).trim().toLowerCase();
    const weight = semicolon === -1 ? 1 : weightOf(item.slice(semicolon + 1));
    if (name === 'gzip' || name === 'x-gzip') gzip = weight;
    else if (name === 'deflate') deflate = weight;
    else if (name === 'identity') plain = weight;
    else if (name === '*') any = weight;
  }
  if (gzip === -1) gzip = any;
  if (deflate === -1) deflate = any;
  const best = Math.max(gzip, deflate);
  if (best === 0 || best < plain) return 'identity';
  return deflate > gzip ? 'deflate' : 'gzip';
}

/** Of `q=0.5`; 0 where it cannot be read, so that a strange wish gets the plain answer. */
function weightOf(parameter: string): number {
  const match = /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/i.exec(parameter);
  return match === null ? 0 : Math.min(1, Number(match[1]));
}

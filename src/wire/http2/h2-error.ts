/** Error codes of RFC 9113, 7, as RST_STREAM and GOAWAY carry them. */
export const H2Error = {
  None: 0x0,
  Protocol: 0x1,
  Internal: 0x2,
  FlowControl: 0x3,
  SettingsTimeout: 0x4,
  StreamClosed: 0x5,
  FrameSize: 0x6,
  RefusedStream: 0x7,
  Cancel: 0x8,
  Compression: 0x9,
  Connect: 0xa,
  EnhanceYourCalm: 0xb,
  InadequateSecurity: 0xc,
  Http11Required: 0xd,
} as const;

/** One of the above from us; any 32-bit number from the other side. */
export type H2ErrorCode = number;

const NAMES: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

export const h2ErrorName = (code: H2ErrorCode): string => NAMES[code] ?? `the unknown error ${code}`;

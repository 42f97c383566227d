/** What callers hear who ask for an explanation where nobody gives one: the kind of the server behind is no secret, its words are. */
export const NO_EXPLAIN =
  'The server behind this model explains nothing: ask :predict, or ask for a variant on a V1 server (backend kind "http", protocol "v1") that answers :explain.';

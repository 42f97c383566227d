/** Names that appear in paths, labels and metrics: a strict pattern keeps them safe in all of them. Apart from the schema, which the data plane does without. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

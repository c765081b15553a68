/**
 * How calls are watched: `preload` by hooks in Node and Python, `base` at the address that the command is told to
 * call, `proxy` between it and Stripe's hosts, `auto` by what the command is.
 */
export const RECORD_WAYS = ['auto', 'preload', 'base', 'proxy'] as const;
export type RecordWay = (typeof RECORD_WAYS)[number];

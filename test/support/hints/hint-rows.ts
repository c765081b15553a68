import { GUARD_ROWS } from './guard-rows.ts';
import type { HintRow } from './hint-row.ts';
import { KEY_ROWS } from './key-rows.ts';
import { OFFLINE_ROWS } from './offline-rows.ts';

/** Every hint, with the state in which it is printed. */
export const HINT_ROWS: readonly HintRow[] = [...OFFLINE_ROWS, ...KEY_ROWS, ...GUARD_ROWS];

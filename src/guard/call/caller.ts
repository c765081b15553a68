import type { Run } from '../../core/spend/runs.ts';
import type { Served } from '../served.ts';

/** Whose call it is, and what holds for it. */
export interface Caller {
  readonly run: Run;
  readonly served: Served;
}

import { join } from 'node:path';
import { WORKSPACE } from '../workspace.ts';

/** Where the guard of a working folder keeps its log, a file a day. */
export function guardLogFolder(cwd: string): string {
  return join(cwd, WORKSPACE, 'guard', 'log');
}

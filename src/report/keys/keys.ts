import { paintFor, type TextOutput, wrap } from '../text.ts';
import type { ReportedKey } from './provision.ts';

/** A key's record as `keys list` shows it. */
export interface ListedKey extends ReportedKey {
  readonly status: string;
  readonly target: string;
  readonly createdAt: string;
}

/** `keys list --format json`, schema `keyaudit.keys/1`. */
export function keysJson(keys: readonly ListedKey[]): unknown {
  return { schema: 'keyaudit.keys/1', keys };
}

export function renderKeysTable(records: readonly ListedKey[], output: TextOutput): void {
  const paint = paintFor(output);
  if (records.length === 0) {
    output.write('No key was made here yet. "keyaudit provision PROFILE" makes one.\n');
  }
  for (const record of records) {
    output.write(
      `${paint.bold(record.profile)} ${record.id} ${paint.dim(`${record.status}, ${record.mode}, ${record.target}`)}\n`,
    );
    output.write(
      wrap(`${record.variable} in ${record.place}, ${record.fingerprint}, made ${record.createdAt}`, output, {
        indent: '  ',
      }),
    );
    output.write(wrap(record.permissions.join(', '), output, { indent: '  ' }));
  }
}

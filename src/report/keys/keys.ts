import { DAY_MS } from '../../core/duration.ts';
import { ageInDays } from '../../core/result/provenance.ts';
import { bothSides, counted, paintFor, plain, type TextOutput, wrap } from '../text.ts';
import type { ReportedKey } from './provision.ts';

/** A key's record as `keys list` shows it. */
export interface ListedKey extends ReportedKey {
  readonly status: string;
  readonly target: string;
  /** The account of the secret key that made it. */
  readonly ownAccount?: string | undefined;
  /** The connected account that it was made for. */
  readonly account?: string | undefined;
  readonly createdAt: string;
  readonly expiresAt?: string | undefined;
  readonly verifiedAt?: string | undefined;
}

/** `keys list --format json`, schema `keyaudit.keys/1`. */
export function keysJson(keys: readonly ListedKey[]): unknown {
  return { schema: 'keyaudit.keys/1', keys };
}

/**
 * A table with state, place, age, end and last proof; below it what each key holds.
 * @param now ISO 8601, in UTC
 * @param none what is said where there is no key
 */
export function renderKeysTable(
  records: readonly ListedKey[],
  now: string,
  output: TextOutput,
  none: string,
): void {
  const paint = paintFor(output);
  if (records.length === 0) {
    output.write(`${none}\n`);
    return;
  }
  const head = ['profile', 'key', 'state', 'mode', 'target', 'account', 'place', 'age', 'expires', 'proved'];
  const rows = records.map((record) => [
    record.profile,
    record.id,
    record.status,
    record.mode,
    record.target,
    record.account ?? record.ownAccount ?? '–',
    record.place,
    counted(ageInDays(record.createdAt, now) ?? 0, 'day'),
    record.expiresAt === undefined ? 'never' : endsIn(record.expiresAt, now),
    record.verifiedAt === undefined ? 'never' : record.verifiedAt.slice(0, 10),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `${cells
      .map((cell, column) => plain(cell).padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`;
  const total = widths.reduce((sum, width) => sum + width + 2, -2);
  if (total <= (output.columns ?? total)) {
    output.write(paint.bold(line(head)));
    for (const row of rows) output.write(line(row));
  } else {
    // Where it does not fit, each key is a line of its own.
    for (const row of rows)
      output.write(
        wrap(row.map((cell, column) => `${head[column]} ${cell}`).join(', '), output, {
          indent: '  ',
          first: '',
        }),
      );
  }
  output.write('\n');
  for (const record of records) {
    const where = `${record.id}: ${record.variable}, ${record.fingerprint}, ${bothSides(record)}`;
    output.write(paint.dim(wrap(where, output, { indent: '    ', first: '  ' })));
  }
}

function endsIn(at: string, now: string): string {
  const days = Math.ceil((Date.parse(at) - Date.parse(now)) / DAY_MS);
  return days < 0 ? 'has ended' : `${at.slice(0, 10)} (${counted(days, 'day')})`;
}

/** Records that were dropped, and those that stay although they were named. */
export interface PruneReport {
  readonly dropped: readonly ListedKey[];
  readonly kept: readonly { readonly id: string; readonly why: string }[];
}

/** `keys prune --format json`, schema `keyaudit.prune/1`. */
export function pruneJson({ dropped, kept }: PruneReport): unknown {
  return { schema: 'keyaudit.prune/1', dropped: dropped.map(({ id }) => id), kept };
}

export function renderPrune({ dropped, kept }: PruneReport, output: TextOutput): void {
  for (const { id, profile, status } of dropped) output.write(`– ${profile} ${id} (${status})\n`);
  for (const { id, why } of kept) output.write(wrap(`${id} stays: ${why}`, output, { indent: '  ' }));
  output.write(`${counted(dropped.length, 'record')} dropped; nothing at Stripe was asked or changed.\n`);
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LONGEST_NAME, NAME } from '../../src/core/calibrate/named-refusals.ts';
import { SOURCE_FORMS, SOURCE_ROW_COLUMNS } from '../../src/core/calibrate/source-rows.ts';
import { PROVENANCES } from '../../src/core/catalog/catalog.ts';

const COLUMNS = SOURCE_ROW_COLUMNS.join('\t');
/** A file of rows is a few hundred lines. */
const LARGEST = 1_000_000;

/** What became of each row of a file that `keyaudit calibrate --print` wrote. */
export interface Merged {
  readonly taken: readonly string[];
  /** Rows that were not taken, each with the reason. */
  readonly left: readonly string[];
  /** Permissions that no table had. */
  readonly added: readonly string[];
}

/**
 * Takes rows into `endpoints.tsv`, with their provenance. The file may come from anybody: only endpoints that are in the
 * table, names spelt as Stripe spells them and sources in the words of `--print` are taken, and no row takes the place of
 * one that is known better.
 * @param apiVersion of the SDK that the tables are for
 * @throws for a file that is none of `--print`, or of another API version or a sandbox
 */
export function mergeRows(dir: string, file: string, apiVersion: string): Merged {
  const rows = readRows(file, apiVersion);
  const table = join(dir, 'endpoints.tsv');
  const lines = readFileSync(table, 'utf8').split('\n');
  const places = new Map(lines.map((line, index) => [line.split('\t').slice(0, 2).join(' '), index]));
  const taken: string[] = [];
  const left: string[] = [];
  const names = new Set<string>();
  for (const cells of rows) {
    const [method = '', path = '', permissions = '', provenance = '', source = ''] = cells;
    const endpoint = `${method} ${path}`;
    const place = places.get(endpoint);
    const before = place === undefined ? undefined : lines[place]?.split('\t');
    const why =
      wrongWith(cells) ??
      (before === undefined ? 'the table has no such endpoint' : worseThan(cells, before));
    if (why !== undefined || place === undefined || before === undefined) {
      left.push(`${printable(endpoint)}: ${why}`);
      continue;
    }
    // The remark is the table's own.
    const after = [
      method,
      path,
      permissions,
      provenance,
      `${source}, by keyaudit calibrate`,
      before[5] ?? '-',
    ];
    lines[place] = after.join('\t');
    for (const name of permissions.split(' ')) names.add(name);
    taken.push(`${endpoint}: ${before[2]} (${before[3]}) → ${permissions} (${provenance})`);
  }
  if (taken.length > 0) writeFileSync(table, lines.join('\n'));
  return { taken, left, added: addPermissions(dir, names) };
}

function readRows(file: string, apiVersion: string): readonly (readonly string[])[] {
  const text = readFileSync(file, 'utf8');
  if (text.length > LARGEST) throw new Error(`${file} is larger than any that "calibrate --print" writes`);
  const [head = '', ...rest] = text.split('\n');
  const about = /^# keyaudit calibrate: target ([^,]+), API version ([^,]+), catalog [^\n]+\.$/.exec(head);
  const table = rest.filter((line) => line !== '' && !line.startsWith('#'));
  if (about === null || table[0] !== COLUMNS)
    throw new Error(`${file} is no file that "keyaudit calibrate --print" wrote`);
  const [, target = '', version = ''] = about;
  if (!target.startsWith('stripe') || target.startsWith('stripe-mock'))
    throw new Error(`${file} tells of ${printable(target)}; the catalog tells of Stripe`);
  if (version !== apiVersion)
    throw new Error(`${file} is of API version ${printable(version)}; the tables are for ${apiVersion}`);
  return table.slice(1).map((line) => line.split('\t'));
}

/** Why a row is not well formed. */
function wrongWith(cells: readonly string[]): string | undefined {
  const [, , permissions = '', provenance = '', source = ''] = cells;
  const names = permissions.split(' ');
  if (cells.length !== SOURCE_ROW_COLUMNS.length) return `${cells.length} cells`;
  if (provenance !== 'named' && provenance !== 'calibrated')
    return 'its provenance is neither named nor calibrated';
  if (names.length > 4 || names.some((name) => !NAME.test(name) || name.length > LONGEST_NAME))
    return 'what it names is not spelt like permissions';
  return SOURCE_FORMS.some((form) => form.test(source))
    ? undefined
    : 'its source is in no words of "calibrate --print"';
}

/** Why a row does not take the place of what the table has. */
function worseThan(
  [, , permissions = '', provenance = '']: readonly string[],
  [, , ours = '', known = '']: readonly string[],
): string | undefined {
  if (permissions === ours && provenance === known) return 'the table has it';
  const rank = (name: string) => (PROVENANCES as readonly string[]).indexOf(name);
  return rank(provenance) <= rank(known)
    ? undefined
    : `the table has ${ours} (${known}), which weighs more than ${permissions} (${provenance})`;
}

/** A name that is new gets a row, so that the tables fit together; its place in the Dashboard is for a person to find. */
function addPermissions(dir: string, names: ReadonlySet<string>): readonly string[] {
  const table = join(dir, 'permissions.tsv');
  const text = readFileSync(table, 'utf8');
  const known = new Set(text.split('\n').map((line) => line.split('\t')[0]));
  const added = [...names].filter((name) => !known.has(name)).sort();
  const rows = added.map((name) => {
    const level = name.endsWith('_write') ? 'write' : 'read';
    return [
      name,
      name,
      'Not placed yet',
      level,
      `rak_${name}`,
      'no',
      '-',
      'named by keyaudit calibrate',
    ].join('\t');
  });
  if (rows.length > 0) writeFileSync(table, `${text.trimEnd()}\n${rows.join('\n')}\n`);
  return added;
}

/** As text of somebody else's may be shown. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);
}

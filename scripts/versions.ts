import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { DeclaredTypes } from '../src/core/catalog/declared-types.ts';
import { readSdk } from './catalog/sdk.ts';
import { Comparison, goneExpansions } from './versions/compare.ts';
import { fetchSdk } from './versions/fetch-sdk.ts';
import { readOlderSdk } from './versions/older-sdk.ts';
import { goneElsewhere } from './versions/other-languages.ts';
import { renderVersionTable, type VersionRow } from './versions/table.ts';

// npx jiti scripts/versions.ts [FOLDER]: writes what older versions of the API take and the installed SDK's does not,
// by comparing the declarations of the SDK's majors, and what the SDKs of other languages name beside them. They come
// from npm, Maven Central, the Go proxy and PyPI by mvn, go and pip, and stay in FOLDER, else nowhere.

/** First and last of each major, with the versions of the API that they declare. The last is what is compared. */
const MAJORS: readonly { readonly last: string; readonly api: string; readonly next: string }[] = [
  { last: '8.95.0', api: '2020-08-27', next: '2022-08-01' },
  { last: '8.222.0', api: '2020-08-27', next: '2022-08-01' },
  { last: '9.16.0', api: '2020-08-27', next: '2022-08-01' },
  { last: '10.17.0', api: '2022-08-01', next: '2022-11-15' },
  { last: '11.18.0', api: '2022-11-15', next: '2023-08-16' },
  { last: '12.18.0', api: '2022-11-15', next: '2023-08-16' },
  { last: '13.11.0', api: '2023-08-16', next: '2023-10-16' },
  { last: '14.25.0', api: '2023-10-16', next: '2024-04-10' },
  { last: '15.12.0', api: '2024-04-10', next: '2024-06-20' },
  { last: '16.12.0', api: '2024-06-20', next: '2024-09-30' },
  { last: '17.7.0', api: '2025-02-24.acacia', next: '2025-03-31' },
  { last: '18.5.0', api: '2025-08-27.basil', next: '2025-09-30' },
  { last: '19.3.1', api: '2025-10-29.clover', next: '2025-11-17' },
  { last: '20.4.1', api: '2026-02-25.clover', next: '2026-03-25' },
  { last: '21.0.1', api: '2026-03-25.dahlia', next: '2026-09-30' },
  { last: '22.6.2', api: '2026-08-26.dahlia', next: '2026-09-30' },
];

/** What Stripe's own programs send and no SDK declares, found by running them. */
const SENT_BY_PROGRAMS: readonly VersionRow[] = [
  {
    subject: 'paymentIntents.create',
    what: 'value',
    path: 'payment_method_options[customer_balance][bank_transfer][type]',
    value: 'jp_bank_account',
    before: '2026-09-30',
    source: 'stripe-cli 1.52.0 (trigger payment_intent.partially_funded)',
  },
];

const root = join(import.meta.dirname, '..');
const [given] = process.argv.slice(2);
const folder = given ?? mkdtempSync(join(tmpdir(), 'keyaudit-sdks-'));
const newer = new DeclaredTypes();
const { expandable } = readSdk(join(root, 'node_modules', 'stripe'));
const names = new Map(catalogData.operations.map(({ method, path, name }) => [`${method} ${path}`, name]));
/** By what is taken: the last that has it, since the majors come in order. */
const rows = new Map<string, VersionRow>();

try {
  for (const major of MAJORS) compare(major);
  addOthers();
} finally {
  if (given === undefined) rmSync(folder, { recursive: true });
}
const file = join(root, 'src', 'core', 'catalog', 'data', 'source', 'versions.tsv');
writeFileSync(file, renderVersionTable([...rows.values()], catalogData.source));
console.log(`${rows.size} differences in ${file}`);

function compare({ last, api, next }: (typeof MAJORS)[number]): void {
  const dir = fetchSdk('stripe-node', { version: last, api }, folder);
  const older = readOlderSdk(dir);
  const comparison = new Comparison(new DeclaredTypes(older.types), newer);
  const note = (row: Omit<VersionRow, 'before' | 'source'>) =>
    rows.set(`${row.subject} ${row.what} ${row.path} ${row.value}`, {
      ...row,
      before: next,
      source: `stripe-node ${last} (${api})`,
    });
  for (const call of older.calls) {
    const subject = names.get(call);
    if (subject === undefined) note({ subject: call, what: 'call', path: '-', value: '-' });
    else {
      for (const { what, path, values } of comparison.parameters([call.replace(' ', '_'), subject])) {
        for (const value of values.length > 0 ? values : ['-']) note({ subject, what, path, value });
      }
    }
  }
  for (const [kind, fields] of goneExpansions(older.expandable, expandable)) {
    for (const path of fields) note({ subject: kind, what: 'expansion', path, value: '-' });
  }
}

/** What the SDKs of other languages have beside: what they were written for by hand, mostly. */
function addOthers(): void {
  const dates = [...new Set(MAJORS.map(({ next }) => next))].sort();
  for (const row of SENT_BY_PROGRAMS) rows.set(`${row.subject} ${row.what} ${row.path} ${row.value}`, row);
  const known = [...rows.values()];
  const isKnown = ({ subject, what, path, value }: VersionRow) =>
    known.some(
      (row) =>
        row.subject === subject &&
        ((row.what === what && row.path === path && row.value === value) ||
          (row.path === path && (row.what === 'any' || row.what === 'parameter')) ||
          (row.what === 'parameter' && path.startsWith(`${row.path}[`))),
    );
  for (const row of goneElsewhere(folder, names, (api) => dates.find((date) => date > api.slice(0, 10)))) {
    if (!isKnown(row)) rows.set(`${row.subject} ${row.what} ${row.path} ${row.value}`, row);
  }
}

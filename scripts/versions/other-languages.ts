import { DeclaredTypes } from '../../src/core/catalog/declared-types.ts';
import { fetchSdk, type SdkName } from './fetch-sdk.ts';
import { type GoSdk, readGoSdk } from './go-sdk.ts';
import { readJavaSdk } from './java-sdk.ts';
import { readPythonSdk } from './python-sdk.ts';
import { type SentCalls, undeclared } from './sent.ts';
import type { VersionRow } from './table.ts';

interface Published {
  readonly version: string;
  readonly api: string;
}

/** The last of each major whose declarations say what a call takes, the newest last: what that has is not gone. */
const OTHERS: Readonly<Record<Exclude<SdkName, 'stripe-node'>, readonly Published[]>> = {
  'stripe-java': [
    { version: '20.136.0', api: '2020-08-27' },
    { version: '21.15.0', api: '2022-08-01' },
    { version: '22.31.0', api: '2022-11-15' },
    { version: '23.10.0', api: '2023-08-16' },
    { version: '25.13.0', api: '2024-04-10' },
    { version: '28.4.0', api: '2025-02-24.acacia' },
    { version: '29.5.0', api: '2025-08-27.basil' },
    { version: '31.4.0', api: '2026-02-25.clover' },
    { version: '32.2.0', api: '2026-05-27.dahlia' },
    { version: '33.3.0', api: '2026-07-29.dahlia' },
  ],
  'stripe-go': [
    { version: '72.122.0', api: '2020-08-27' },
    { version: '74.30.0', api: '2022-11-15' },
    { version: '75.11.0', api: '2023-08-16' },
    { version: '76.25.0', api: '2023-10-16' },
    { version: '78.12.0', api: '2024-04-10' },
    { version: '79.12.0', api: '2024-06-20' },
    { version: '81.4.0', api: '2025-02-24.acacia' },
    { version: '82.5.1', api: '2025-08-27.basil' },
    { version: '84.4.1', api: '2026-02-25.clover' },
    { version: '85.0.0', api: '2026-03-25.dahlia' },
  ],
  'stripe-python': [
    { version: '8.11.1', api: '2023-10-16' },
    { version: '11.6.0', api: '2025-02-24.acacia' },
    { version: '12.5.1', api: '2025-08-27.basil' },
    { version: '14.4.2', api: '2026-02-25.clover' },
    { version: '16.1.0', api: '2026-10-28.endive' },
  ],
};

const READERS: Readonly<Record<keyof typeof OTHERS, (dir: string) => GoSdk>> = {
  'stripe-java': (dir) => alone(readJavaSdk(dir)),
  'stripe-go': readGoSdk,
  'stripe-python': (dir) => alone(readPythonSdk(dir)),
};

function alone(calls: SentCalls): GoSdk {
  return { calls, together: new Map() };
}

/** Written into a header, and never sent as a parameter. */
const NOT_SENT = 'stripe-version';

/**
 * What the older majors of the SDKs of other languages send that neither their newest nor the catalog has.
 * @param names of the catalog's operations, by call
 * @param nextAfter the first version of the API after one at which something changed
 */
export function* goneElsewhere(
  folder: string,
  names: ReadonlyMap<string, string>,
  nextAfter: (api: string) => string | undefined,
): Generator<VersionRow> {
  const types = new DeclaredTypes();
  for (const sdk of ['stripe-java', 'stripe-go', 'stripe-python'] as const) {
    const published = OTHERS[sdk].map((one) => ({
      ...one,
      known: rowsOf(READERS[sdk](fetchSdk(sdk, one, folder)), names, types),
    }));
    const newest = published.at(-1)?.known ?? new Map();
    for (const { version, api, known } of published) {
      const before = nextAfter(api);
      if (before === undefined) continue;
      for (const [key, row] of known) {
        if (!newest.has(key)) yield { ...row, before, source: `${sdk} ${version} (${api})` };
      }
    }
  }
}

type Row = Omit<VersionRow, 'before' | 'source'>;

/** What an SDK can send and the catalog's declarations do not have. */
function rowsOf(
  { calls, together }: GoSdk,
  names: ReadonlyMap<string, string>,
  types: DeclaredTypes,
): ReadonlyMap<string, Row> {
  const byCall = new Map<string, Map<string, Row>>();
  const rows = new Map<string, Row>();
  for (const [call, fields] of calls) {
    const subject = names.get(call);
    if (subject === undefined) {
      rows.set(call, { subject: call, what: 'call', path: '-', value: '-' });
      continue;
    }
    const found = new Map<string, Row>();
    byCall.set(call, found);
    for (const { what, path, values } of undeclared(fields, types.parametersOf(subject), types)) {
      if (path === NOT_SENT) continue;
      for (const value of values.length > 0 ? values : ['-'])
        found.set(`${what} ${path} ${value}`, { subject, what, path, value });
    }
  }
  for (const [call, found] of byCall) {
    const others = (together.get(call) ?? []).flatMap((one) => byCall.get(one) ?? []);
    for (const [key, row] of found) {
      if (others.every((one) => one.has(key))) rows.set(`${row.subject} ${key}`, row);
    }
  }
  return rows;
}

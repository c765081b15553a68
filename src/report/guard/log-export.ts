import { formatAmount } from '../../core/spend/amount.ts';
import type { FlatRow } from '../../core/spend/flat-row.ts';

/** What the rows of the log can be handed on as, one a line. */
export const LOG_EXPORTS = ['ocsf', 'cloudevents', 'csv'] as const;
export type LogExport = (typeof LOG_EXPORTS)[number];

interface LogExporter {
  /** The first line. */
  readonly head?: string;
  readonly line: (row: FlatRow) => string;
}

const COLUMNS: readonly (readonly [name: string, value: (row: FlatRow) => unknown])[] = [
  ['seq', ({ seq }) => seq],
  ['time', ({ time }) => time],
  ['kind', ({ kind }) => kind],
  ['run', ({ run }) => run],
  ['profile', ({ profile }) => profile],
  ['operation', ({ operation }) => operation],
  ['method', ({ method }) => method],
  ['path', ({ path }) => path],
  ['ids', ({ ids }) => ids.join(' ')],
  ['account', ({ account }) => account],
  ['direction', ({ direction }) => direction],
  ['amount_minor', ({ amount }) => amount?.minor],
  ['currency', ({ amount }) => amount?.currency],
  ['amount', ({ amount }) => (amount === undefined ? undefined : formatAmount(amount))],
  ['reservation', ({ reservation }) => reservation],
  ['status', ({ status }) => status],
  ['code', ({ code }) => code],
  ['verdict', ({ verdict }) => verdict],
  ['why', ({ why }) => why],
  ['request_id', ({ requestId }) => requestId],
  ['ms_guard', ({ msGuard }) => msGuard],
  ['ms_stripe', ({ msStripe }) => msStripe],
  ['instance', ({ instance }) => instance],
  ['policy', ({ policy }) => policy],
];

/** How each is written; whoever reads them needs no word of keyaudit's. */
export const LOG_EXPORTERS: Readonly<Record<LogExport, LogExporter>> = {
  ocsf: { line: (row) => JSON.stringify(ocsf(row)) },
  cloudevents: { line: (row) => JSON.stringify(cloudEvent(row)) },
  csv: {
    head: COLUMNS.map(([name]) => name).join(','),
    line: (row) => COLUMNS.map(([, value]) => cell(value(row))).join(','),
  },
};

/** RFC 4180; a cell that a spreadsheet would take for a formula gets an apostrophe. */
function cell(value: unknown): string {
  const text = value === undefined ? '' : String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** CloudEvents 1.0 in JSON (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md). */
function cloudEvent({ seq, time, kind, instance, ...data }: FlatRow): object {
  return {
    specversion: '1.0',
    id: `${instance ?? 'guard'}-${seq}`,
    source: `/keyaudit/guard/${instance ?? ''}`,
    type: `keyaudit.guard.${kind}`,
    time,
    subject: data.run,
    datacontenttype: 'application/json',
    data,
  };
}

/** API Activity (https://schema.ocsf.io/1.7.0/classes/api_activity). */
const OCSF_CLASS = 6003;
const OCSF_ACTIVITIES: Readonly<Record<string, number>> = { POST: 3, GET: 2, DELETE: 4 };
const OTHER = 99;

function ocsf(row: FlatRow): object {
  const { kind, run, profile, operation, method, path, status, code, requestId } = row;
  const isMade = method === 'POST' && /\.create$/.test(operation ?? '');
  const activity = isMade ? 1 : (OCSF_ACTIVITIES[method ?? ''] ?? OTHER);
  const isRefused = kind === 'refuse' || (status ?? 0) >= 400;
  return {
    class_uid: OCSF_CLASS,
    category_uid: 6,
    activity_id: activity,
    ...(activity === OTHER ? { activity_name: kind } : {}),
    type_uid: OCSF_CLASS * 100 + activity,
    time: Date.parse(row.time),
    severity_id: kind === 'refuse' || kind === 'overrun' || kind === 'hold' ? 3 : 1,
    status_id: isRefused ? 2 : status === undefined ? 0 : 1,
    ...(status === undefined ? {} : { status_code: String(status) }),
    status_detail: row.why,
    message: `keyaudit guard: ${kind}`,
    metadata: {
      version: '1.7.0',
      product: { name: 'keyaudit guard', vendor_name: 'keyaudit' },
      sequence: row.seq,
      log_name: 'guard',
      uid: `${row.instance ?? 'guard'}-${row.seq}`,
    },
    actor: {
      ...(run === undefined ? {} : { session: { uid: run } }),
      app_name: profile ?? 'keyaudit guard',
    },
    api: {
      operation: operation ?? `guard.${kind}`,
      service: { name: 'stripe' },
      ...(requestId === undefined ? {} : { request: { uid: requestId } }),
      ...(status === undefined ? {} : { response: { code: status, error: code } }),
    },
    src_endpoint: { name: run ?? 'guard' },
    ...(method === undefined
      ? {}
      : { http_request: { http_method: method, ...(path === undefined ? {} : { url: { path } }) } }),
    ...(row.ids.length === 0 ? {} : { resources: row.ids.map((uid) => ({ uid })) }),
    unmapped: {
      kind,
      ...(row.amount === undefined ? {} : { amount_minor: row.amount.minor, currency: row.amount.currency }),
      direction: row.direction,
      reservation: row.reservation,
      account: row.account,
      policy: row.policy,
    },
  };
}

import { type LogRow, ROW_KINDS, type RowKind, type RowTake } from '../../../core/spend/log-row.ts';

const KINDS: ReadonlySet<unknown> = new Set(ROW_KINDS);

/** How much of its rows a reader wants. `counted`: rows that change nothing of what is counted need only their head; `sums`: and others only what adds up. */
export type Depth = 'whole' | 'counted' | 'sums';

/** The fields of the rows that are nearly all of a log, in the order in which the guard writes them. */
const CALL = { run: 'text', profile: 'text', policy: 'text' } as const;
const PLACE = { path: 'text', ids: 'texts', account: 'text' } as const;
const ANSWER = { status: 'number', requestId: 'text', msStripe: 'number' } as const;
type Shape = Readonly<Record<string, keyof typeof VALUES>>;
const HEADS: Readonly<Record<'pass' | 'look-up' | 'refuse', Shape>> = {
  pass: { ...CALL, operation: 'text', method: 'text', ...PLACE, ...ANSWER, reservation: 'text' },
  'look-up': { ...CALL, operation: 'text', method: 'text', ...PLACE, code: 'text' },
  refuse: {
    ...CALL,
    method: 'text',
    operation: 'text',
    ...PLACE,
    status: 'number',
    code: 'text',
    verdict: 'text',
    msGuard: 'number',
  },
};
const RESERVE = {
  ...CALL,
  operation: 'text',
  method: 'text',
  ...PLACE,
  reservation: 'text',
  scope: 'text',
  amount: 'whole',
  currency: 'text',
  direction: 'text',
  totalOf: 'text',
  object: 'textOrNull',
  takes: 'takes',
  calls: 'takes',
  rolling: 'texts',
  key: 'text',
  content: 'text',
  repeat: 'text',
} as const;
const SETTLE = {
  reservation: 'text',
  run: 'text',
  operation: 'text',
  ...ANSWER,
  currency: 'text',
  amount: 'whole',
  isWhole: 'truth',
  totalOf: 'text',
  object: 'textOrNull',
  isPending: 'truth',
} as const;

/** Plain signs alone, as JSON writes them: what is written otherwise is read the long way. */
const TEXT = '"[ !#-[\\]-~]*"';
const WHOLE = '(?:0|[1-9]\\d{0,14})';
const TAKE = `\\{"counter":${TEXT},"cap":${WHOLE},"before":${WHOLE},"after":${WHOLE}\\}`;
const VALUES = {
  text: TEXT,
  texts: `\\[${TEXT}(?:,${TEXT})*\\]`,
  textOrNull: `(?:${TEXT}|null)`,
  whole: WHOLE,
  number: `${WHOLE}(?:\\.\\d{0,2}[1-9])?`,
  truth: '(?:true|false)',
  takes: `\\[(?:${TAKE}(?:,${TAKE})*)?\\]`,
} as const;

/**
 * A row of a kind as it is usually written, each field once at most: what matches is JSON as this program writes it. It
 * captures the number, the time, the hash, and the values of the fields that are named.
 */
function pattern<Name extends string>(kind: RowKind, fields: Shape, captured: readonly Name[] = []): RegExp {
  const isCaptured = (name: string) => captured.some((one) => one === name);
  const rest = Object.entries({ instance: 'text' as const, ...fields })
    .map(([name, value]) => `(?:,"${name}":(${isCaptured(name) ? '' : '?:'}${VALUES[value]}))?`)
    .join('');
  const head = '\\{"seq":([1-9]\\d{0,14}),"time":"([\\dTZ:.-]+)","prev":"([\\w-]+)"';
  return new RegExp(`^${head},"kind":"${kind}"${rest}\\}$`);
}

const RESERVE_PATTERN = pattern('reserve', RESERVE, [
  'reservation',
  'scope',
  'amount',
  'totalOf',
  'takes',
  'calls',
  'rolling',
]);
const SETTLE_PATTERN = pattern('settle', SETTLE, [
  'reservation',
  'amount',
  'isWhole',
  'totalOf',
  'isPending',
]);
const PATTERNS = new Map<string, RegExp>([
  ...Object.entries(HEADS).map(([kind, fields]) => [kind, pattern(kind as RowKind, fields)] as const),
  ['reserve', RESERVE_PATTERN],
  ['settle', SETTLE_PATTERN],
]);
const ONE_TAKE = /"counter":"([^"]*)","cap":(\d+),"before":(\d+),"after":(\d+)/g;
/** Where a row says its kind: behind its number, time and hash. */
const KIND = /^\{"seq":\d+,"time":"[^"]*","prev":"[^"]*","kind":"([a-z-]+)"/;

/** A row that is written as nearly all are; undefined for every other. */
function plainly(line: string): { readonly kind: RowKind; readonly match: RegExpExecArray } | undefined {
  const kind = KIND.exec(line)?.[1] as RowKind | undefined;
  const match = kind === undefined ? undefined : PATTERNS.get(kind)?.exec(line);
  return kind === undefined || match == null ? undefined : { kind, match };
}

/** Whether a line is a row that is read the short way. */
export function isPlainRow(line: string): boolean {
  return plainly(line) !== undefined;
}

/**
 * Reads lines of a log. One that is not written as the guard writes its rows is none: with a name that stands twice,
 * with blanks, or with anything else that another program could read otherwise.
 */
export class RowReader {
  readonly #depth: Depth;
  /** A counter stands in many rows; what is cut out of a line keeps the whole piece in memory that the line was cut out of. */
  readonly #counters = new Map<string, string>();

  constructor(depth: Depth = 'whole') {
    this.#depth = depth;
  }

  /** @returns undefined for a line that is no row */
  row(line: string): LogRow | undefined {
    const plain = plainly(line);
    if (plain === undefined) return wholeRow(line);
    const { kind, match } = plain;
    if (this.#depth === 'whole') return JSON.parse(line) as LogRow;
    if (kind !== 'reserve' && kind !== 'settle') return headOf(match, kind as keyof typeof HEADS);
    if (this.#depth === 'counted') return JSON.parse(line) as LogRow;
    return kind === 'reserve' ? this.#reserve(match) : settleOf(match);
  }

  /** What nothing is added up by is left empty. */
  #reserve(match: RegExpExecArray): LogRow {
    const [amount, totalOf, rolling] = [match[6], match[7], match[10]];
    return {
      seq: Number(match[1]),
      time: match[2] ?? '',
      prev: match[3] ?? '',
      kind: 'reserve',
      run: '',
      profile: '',
      method: '',
      direction: 'none',
      reservation: ownText(textOf(match[4])),
      scope: textOf(match[5]),
      amount: amount === undefined ? undefined : Number(amount),
      totalOf: totalOf === undefined ? undefined : textOf(totalOf),
      takes: this.#takes(match[8] ?? ''),
      calls: this.#takes(match[9] ?? ''),
      rolling: rolling === undefined ? undefined : (JSON.parse(rolling) as string[]),
    };
  }

  #takes(text: string): RowTake[] {
    const takes: RowTake[] = [];
    ONE_TAKE.lastIndex = 0;
    for (let match = ONE_TAKE.exec(text); match !== null; match = ONE_TAKE.exec(text)) {
      const counter = this.#counter(match[1] ?? '');
      takes.push({ counter, cap: Number(match[2]), before: Number(match[3]), after: Number(match[4]) });
    }
    return takes;
  }

  #counter(name: string): string {
    const known = this.#counters.get(name);
    if (known !== undefined) return known;
    const own = ownText(name);
    this.#counters.set(own, own);
    return own;
  }
}

// No spread syntax here: it makes these objects several times as slow to build as all the rest of the reading.
function headOf(match: RegExpExecArray, kind: keyof typeof HEADS): LogRow {
  return { seq: Number(match[1]), time: match[2] ?? '', prev: match[3] ?? '', kind };
}

function settleOf(match: RegExpExecArray): LogRow {
  const totalOf = match[7];
  return {
    seq: Number(match[1]),
    time: match[2] ?? '',
    prev: match[3] ?? '',
    kind: 'settle',
    reservation: ownText(textOf(match[4])),
    amount: Number(match[5]),
    isWhole: match[6] === 'true',
    totalOf: totalOf === undefined ? undefined : textOf(totalOf),
    isPending: match[8] === 'true',
  };
}

/** What stands between its marks. */
function textOf(quoted = ''): string {
  return quoted.slice(1, -1);
}

/** The same text, in memory of its own. */
function ownText(text: string): string {
  return ` ${text}`.slice(1);
}

/** Reads a row whatever is in it. */
function wholeRow(line: string): LogRow | undefined {
  try {
    const row = JSON.parse(line) as Partial<LogRow> | null;
    const isRow =
      typeof row === 'object' &&
      row !== null &&
      typeof row.seq === 'number' &&
      typeof row.prev === 'string' &&
      typeof row.time === 'string' &&
      KINDS.has(row.kind);
    return isRow && JSON.stringify(row) === line ? (row as LogRow) : undefined;
  } catch {
    return undefined;
  }
}

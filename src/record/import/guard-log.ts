import {
  type ImportedCall,
  type ImportFormat,
  isObject,
  objectOf,
  statusOf,
  textOf,
  timeOf,
} from './import-format.ts';

type Row = Readonly<Record<string, unknown>>;

/** Rows that say nothing of a call of the agent's. */
const OTHER_KINDS =
  /^(?:start|stop|policy|issue|end|look-up|overrun|reconcile|kill|resume|checkpoint|accept)$/;
/** How a call ended that a reservation was made for. */
const ENDED = /^(?:settle|release|hold)$/;

/** The guard's own log: a row a line, calls that move money in two rows, one run of the guard one recorded run. */
export const guardLog: ImportFormat = {
  description: "the guard's log",
  recognises: (text) => {
    const first = eventIn(text.trimStart().split('\n', 1)[0] ?? '');
    return first !== undefined && 'seq' in first.row && textOf(first.event.kind) !== undefined;
  },
  read: (text) => {
    const calls = new GuardCalls();
    const unread: { line: number; why: string }[] = [];
    for (const [index, line] of text.split('\n').entries()) {
      if (line.trim() === '') continue;
      const found = eventIn(line);
      const why = found === undefined ? NO_CALL : calls.row(found.row, found.event);
      if (why !== undefined) unread.push({ line: index + 1, why });
    }
    return { calls: calls.all(), unread, unseen: GUARD_UNSEEN };
  },
};

/** What no guard's log tells. */
export const GUARD_UNSEEN = ["Names of parameters, and what a call expands, are not in the guard's log."];

const NO_CALL = "no row of the guard's log that says something of a call";

/** Puts the rows of a guard's log together to calls: those that move money have two. */
export class GuardCalls {
  readonly #calls: ImportedCall[] = [];
  readonly #reserved = new Map<string, ImportedCall>();

  /** @returns why nothing can be made of this row */
  row(row: Row, event: Row = row): string | undefined {
    const kind = textOf(event.kind) ?? '';
    const call = callIn({ row, event });
    const reservation = textOf(event.reservation);
    if (kind === 'reserve' && call !== undefined && reservation !== undefined) {
      this.#reserved.set(reservation, call);
    } else if (ENDED.test(kind) && reservation !== undefined) {
      const sent = this.#reserved.get(reservation);
      if (sent === undefined) return 'the end of a call whose beginning is not there';
      this.#reserved.delete(reservation);
      this.#calls.push({ ...sent, ...outcomeIn(event) });
    } else if ((kind === 'pass' || kind === 'refuse') && call !== undefined) {
      this.#calls.push({ ...call, ...(kind === 'refuse' ? refusalIn(event) : outcomeIn(event)) });
    } else if (!OTHER_KINDS.test(kind)) return NO_CALL;
    return undefined;
  }

  /** With those of which no end was seen. */
  all(): readonly ImportedCall[] {
    return [...this.#calls, ...this.#reserved.values()];
  }
}

function eventIn(line: string): { readonly row: Row; readonly event: Row } | undefined {
  const row = objectOf(line);
  if (row === undefined) return undefined;
  return { row, event: isObject(row.event) ? row.event : row };
}

function callIn({ row, event }: { readonly row: Row; readonly event: Row }): ImportedCall | undefined {
  const [method, path] = [textOf(event.method), textOf(event.path)];
  if (method === undefined || path === undefined) return undefined;
  const { time } = row;
  const { amount } = event;
  return {
    method,
    path: path.replaceAll('{id}', 'id'),
    account: textOf(event.account) !== undefined,
    run: textOf(event.run),
    time: typeof time === 'number' ? time : timeOf(textOf(time)),
    amount: typeof amount === 'number' ? amount : undefined,
    currency: textOf(event.currency),
  };
}

/** What the guard itself said; without a code or a status that it was not allowed. */
function refusalIn(event: Row): Pick<ImportedCall, 'status' | 'code'> {
  const { status = 403, code } = outcomeIn(event);
  return { status, code };
}

function outcomeIn(event: Row): Pick<ImportedCall, 'status' | 'code'> {
  return { status: statusOf(event.status), code: textOf(event.code) };
}

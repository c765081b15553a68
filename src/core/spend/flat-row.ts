import type { Amount } from './amount.ts';
import type { KillTarget, LogRow, RowKind } from './log-row.ts';

/** A row of the log with whatever of these it says, for whoever shows or exports rows of every kind alike. */
export interface FlatRow {
  readonly seq: number;
  readonly time: string;
  readonly kind: RowKind;
  readonly instance?: string | undefined;
  readonly run?: string | undefined;
  readonly profile?: string | undefined;
  readonly policy?: string | undefined;
  readonly operation?: string | undefined;
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly ids: readonly string[];
  readonly account?: string | undefined;
  readonly direction?: string | undefined;
  readonly amount?: Amount | undefined;
  readonly reservation?: string | undefined;
  readonly requestId?: string | undefined;
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly verdict?: string | undefined;
  readonly why?: string | undefined;
  readonly msGuard?: number | undefined;
  readonly msStripe?: number | undefined;
}

/** Rows as their reservations make them whole: a row that ends a call names the reservation, not all that it was for. */
export class RowFlattener {
  readonly #open = new Map<string, FlatRow>();

  /** Rows are handed over in their order. */
  flat(row: LogRow): FlatRow {
    const said = row as unknown as Readonly<Record<string, unknown>>;
    const text = (name: string) => (typeof said[name] === 'string' ? said[name] : undefined);
    const number = (name: string) => (typeof said[name] === 'number' ? said[name] : undefined);
    const reservation = text('reservation');
    const before = reservation === undefined ? undefined : this.#open.get(reservation);
    const currency = text('currency') ?? before?.amount?.currency;
    const minor = number('amount');
    const ids = Array.isArray(said.ids)
      ? said.ids.filter((id) => typeof id === 'string')
      : (before?.ids ?? []);
    const target = said.target as KillTarget | undefined;
    const flat: FlatRow = {
      seq: row.seq,
      time: row.time,
      kind: row.kind,
      instance: row.instance,
      run: text('run') ?? before?.run ?? (target?.of === 'run' ? target.name : undefined),
      profile: text('profile') ?? before?.profile ?? (target?.of === 'profile' ? target.name : undefined),
      policy: text('policy') ?? before?.policy,
      operation: text('operation') ?? before?.operation,
      method: text('method') ?? before?.method,
      path: text('path') ?? before?.path,
      ids,
      account: text('account') ?? before?.account,
      direction: text('direction') ?? before?.direction,
      amount: minor === undefined || currency === undefined ? undefined : { minor, currency },
      reservation,
      requestId: text('requestId'),
      status: number('status'),
      code: text('code'),
      verdict: text('verdict') ?? text('outcome'),
      why:
        text('why') ??
        text('evidence') ??
        (target === undefined ? undefined : `of ${target.of === 'all' ? 'all' : target.name}`),
      msGuard: number('msGuard'),
      msStripe: number('msStripe'),
    };
    if (reservation !== undefined && row.kind === 'reserve') this.#open.set(reservation, flat);
    // A settled one can still be reconciled, and then says itself what it was.
    if (reservation !== undefined && row.kind === 'release') this.#open.delete(reservation);
    return flat;
  }
}

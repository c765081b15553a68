import type { KillTarget, LogEvent, NoteEvent, ReserveEvent } from '../core/spend/log-row.ts';
import type { NotReserved, ReserveRequest } from '../core/spend/reserve-request.ts';
import type { SpendBook } from '../core/spend/spend-book.ts';
import type { GuardLog, Unwritten } from '../store/guard-log/guard-log.ts';

/** What came of asking for a reservation. `unwritten`: it could not be made to last, so that nothing is reserved. */
export type Reserving =
  | { readonly event: ReserveEvent }
  | { readonly refused: NotReserved }
  | { readonly unwritten: unknown };

/**
 * What the guard counts, and what of it lasts. Four verbs: reserve, settle, kill, read; whoever keeps it elsewhere,
 * for several machines, keeps these.
 */
export interface SpendStore {
  /** What is counted now. */
  readonly book: SpendBook;
  /** Why nothing can be counted now; undefined while it can. */
  readonly failure: unknown;
  /** What the latest calls have made: what of it the log says may not be on the disk yet. */
  readonly latestObjects: ReadonlySet<string>;
  /** Takes from all counters or from none; resolved once it lasts. */
  reserve(request: ReserveRequest): Promise<Reserving>;
  /** A reservation has ended, or anything else has happened. One that is lost leaves its reservation held. */
  settle(event: LogEvent, at: number): void;
  /** Something happened that changes no counter: a row soon, unless there is no place for it. */
  note(event: NoteEvent, at: number): void;
  /** The same, resolved once it lasts. @throws what the disk says; in this process it holds all the same */
  happen(event: LogEvent, at: number): Promise<void>;
  /** Bites in this process at once, and lasts when it is resolved. @throws what the disk says; it holds all the same */
  kill(target: KillTarget, at: number): Promise<number>;
  close(): Promise<void>;
}

/** More events than these waiting to be written: the disk does not keep up, and nothing more is let through. */
const MOST_WAITING = 10_000;

/** More than can wait to be written. */
const MOST_LATEST = 2 * MOST_WAITING;

/** One machine: the book in memory, the log on disk. */
export class LogStore implements SpendStore {
  readonly book: SpendBook;
  readonly latestObjects = new Set<string>();
  readonly #log: GuardLog;
  /** Why the last row could not be written; undefined once one could. */
  #failing: unknown;
  /** Rows that were noted since then. */
  #kept = 0;
  #waiting = 0;

  constructor({ log, book }: { readonly log: GuardLog; readonly book: SpendBook }) {
    this.#log = log;
    this.book = book;
  }

  get failure(): unknown {
    if (this.#waiting > MOST_WAITING) return new Error('the disk does not keep up');
    return this.#log.failure ?? this.#failing;
  }

  async reserve(request: ReserveRequest): Promise<Reserving> {
    const reserving = this.book.reserve(request);
    if ('refused' in reserving) return reserving;
    const { event } = reserving;
    const { reservation } = event;
    // It is not in the log, so its end must not be there either.
    const takeBack = () => this.book.apply({ kind: 'release', reservation, why: 'not written' }, request.now);
    try {
      await this.#write(event, request.now, { takeBack });
      return { event };
    } catch (unwritten) {
      return { unwritten };
    }
  }

  settle(event: LogEvent, at: number): void {
    this.#made(event);
    this.book.apply(event, at);
    // Where nothing is written any more the reservation is held after a restart.
    if (this.#log.failure === undefined) this.#log.note(event, at);
  }

  note(event: NoteEvent, at: number): void {
    if (this.#log.failure !== undefined) return;
    if (this.#failing !== undefined && ++this.#kept > MOST_WAITING) return;
    this.#log.note(event, at);
  }

  async happen(event: LogEvent, at: number): Promise<void> {
    this.#made(event);
    this.book.apply(event, at);
    // A call that was only to pass does not, where this cannot be written; all else has happened.
    await this.#write(event, at, { stays: event.kind !== 'pass' });
  }

  async kill(target: KillTarget, at: number): Promise<number> {
    const epoch = this.book.runs.epoch + 1;
    await this.happen({ kind: 'kill', target, epoch }, at);
    return epoch;
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #made(event: LogEvent): void {
    if ((event.kind !== 'settle' && event.kind !== 'reconcile') || event.object == null) return;
    this.latestObjects.add(event.object);
    const [oldest] = this.latestObjects;
    if (this.latestObjects.size > MOST_LATEST && oldest !== undefined) this.latestObjects.delete(oldest);
  }

  async #write(event: LogEvent, at: number, unwritten: Unwritten): Promise<void> {
    this.#waiting += 1;
    try {
      await this.#log.durable(event, at, unwritten);
      this.#failing = undefined;
      this.#kept = 0;
    } catch (cause) {
      this.#failing = cause;
      throw cause;
    } finally {
      this.#waiting -= 1;
    }
  }
}

import type { LogEvent } from '../../src/core/spend/log-row.ts';
import { type BookState, SpendBook } from '../../src/core/spend/spend-book.ts';
import type { GuardLog, Unwritten } from '../../src/store/guard-log/guard-log.ts';
import type { Chance } from '../fuzz/chance.ts';
import { type Process, turns } from './history-stripe.ts';

/** A line of the journal, as it stands on the disk: what happened, and when. */
interface Line {
  readonly text: string;
  readonly at: number;
}

interface Settle {
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

export interface Journal {
  readonly log: GuardLog;
  /** Ends the process in the middle of whatever it is at. */
  die(): void;
  /** Whether all that was handed over is on the disk. */
  isIdle(): boolean;
}

/** The disk under a journal: what is on it survives the process, and of what was being written any part may. */
export class Disk {
  readonly lines: Line[] = [];
  /** A book that was written down, and how many lines it holds. */
  snapshot: { readonly state: string; readonly lines: number } | undefined;
  isSometimesFull = false;

  /** The log as one process writes it: what waits goes to the disk together, and what must last is told so then. */
  logOf(process: Process, chance: Chance): Journal {
    let waiting: (Line & { settle?: Settle; unwritten?: Unwritten })[] = [];
    let writing: typeof waiting = [];
    let isWriting = false;
    const write = async () => {
      isWriting = true;
      while (waiting.length > 0) {
        await turns(1 + chance.upTo(8));
        if (process.isDead) return;
        const batch = waiting;
        writing = batch;
        waiting = [];
        await turns(chance.upTo(4));
        if (process.isDead) return;
        writing = [];
        if (this.isSometimesFull && chance.is(0.01)) {
          const all = [...batch, ...waiting];
          waiting = all
            .filter(({ settle, unwritten }) => settle === undefined || unwritten?.stays === true)
            .map(({ text, at }) => ({ text, at }));
          for (const { unwritten } of all) unwritten?.takeBack?.();
          for (const { settle } of all) settle?.reject(new Error('full'));
          await turns(20);
          if (!waiting.some(({ settle }) => settle !== undefined)) break;
          continue;
        }
        this.lines.push(...batch.map(({ text, at }) => ({ text, at })));
        for (const { settle } of batch) settle?.resolve();
      }
      isWriting = false;
    };
    const put = (event: LogEvent, at: number, more: { settle?: Settle; unwritten?: Unwritten } = {}) => {
      if (process.isDead) return;
      waiting.push({ text: JSON.stringify(event), at, ...more });
      if (!isWriting) void write();
    };
    const log = {
      failure: undefined,
      note: (event: LogEvent, at: number) => put(event, at),
      durable: (event: LogEvent, at: number, unwritten: Unwritten) =>
        new Promise<void>((resolve, reject) => put(event, at, { settle: { resolve, reject }, unwritten })),
    };
    const die = () => {
      process.isDead = true;
      const all = [...writing, ...waiting];
      const written = all.slice(0, chance.upTo(all.length + 1));
      this.lines.push(...written.map(({ text, at }) => ({ text, at })));
    };
    return {
      log: log as unknown as GuardLog,
      die,
      isIdle: () => !isWriting && waiting.length === 0,
    };
  }

  /** Where a reservation says another sum than the rows before it come to. */
  wrongSums(): string[] {
    const book = new SpendBook();
    const wrong: string[] = [];
    for (const { text, at } of this.lines) {
      const event = JSON.parse(text) as LogEvent;
      book.advance(at);
      const takes = event.kind === 'reserve' ? event.takes : [];
      for (const { counter, before } of takes)
        if (book.ledger.used(counter) !== before)
          wrong.push(`the log comes to ${book.ledger.used(counter)} of ${counter}, not ${before}`);
      book.apply(event, at);
    }
    return wrong;
  }

  /** What the rows come to, from the first on or from what was written down. */
  fold(isWhole: boolean, now?: number): SpendBook {
    const from = isWhole ? undefined : this.snapshot;
    const book = new SpendBook(from === undefined ? undefined : (JSON.parse(from.state) as BookState));
    for (const { text, at } of this.lines.slice(from?.lines ?? 0))
      book.apply(JSON.parse(text) as LogEvent, at);
    if (now !== undefined) book.apply({ kind: 'pass' }, now);
    return book;
  }
}

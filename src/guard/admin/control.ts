import type { Amount } from '../../core/spend/amount.ts';
import { formatAmount } from '../../core/spend/amount.ts';
import { amountIn } from '../../core/spend/cap.ts';
import type { Killed } from '../../core/spend/guard-status.ts';
import type { KillTarget } from '../../core/spend/log-row.ts';
import type { CallsOnTheirWay } from '../call/calls-on-their-way.ts';
import type { Served } from '../served.ts';
import type { ServedProfiles } from '../served-profiles.ts';
import type { SpendStore } from '../spend-store.ts';

/** A run that is asked for. */
export interface IssueRequest {
  readonly profile: string;
  readonly run: string;
  /** SHA-256 of the run key: the guard never gets to see the key itself but in calls. */
  readonly key: string;
  readonly ttlMs?: number | undefined;
  readonly caps: readonly Amount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly repeats: readonly string[];
  readonly rollMs?: number | undefined;
}

/** Something that was asked for and cannot be. */
export interface NotDone {
  readonly problem: string;
  readonly hint?: string;
}

interface ControlParts {
  readonly store: SpendStore;
  readonly profiles: ServedProfiles;
  readonly onTheirWay: CallsOnTheirWay;
  readonly now: () => number;
}

/** What can be done with a guard that runs, whoever asks. */
export class Control {
  readonly #parts: ControlParts;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Begins a run, or gives one a further key. @throws what the disk says */
  async issue(request: IssueRequest): Promise<{ readonly expiresAt: number } | NotDone> {
    const { store, profiles, now } = this.#parts;
    const served = profiles.get(request.profile);
    if (served === undefined) {
      const names = profiles.all().map(({ profile }) => profile.name);
      return {
        problem: `This guard does not serve ${request.profile}.`,
        hint: `It serves ${names.join(', ')}.`,
      };
    }
    const known = store.book.runs.run(request.run);
    if (known !== undefined) {
      const state = store.book.runs.stateOf(known.id, now());
      if (known.profile !== request.profile)
        return { problem: `The run ${known.id} is one of ${known.profile}.` };
      if (state === 'ended' || state === 'killed') return { problem: `The run ${known.id} is ${state}.` };
    }
    const wider = tooWide(request, served);
    if (wider !== undefined) return wider;
    const issuedAt = now();
    const expiresAt = issuedAt + Math.min(request.ttlMs ?? served.guard.ttlMs, served.guard.ttlMs);
    profiles.begin(request.run, request.profile);
    const { run, profile, key, caps, labels, repeats, rollMs } = request;
    await store.happen(
      {
        kind: 'issue',
        run,
        profile,
        scope: served.scope,
        key,
        issuedAt,
        expiresAt,
        caps: caps.map(formatAmount),
        labels,
        repeats,
        rollMs,
      },
      issuedAt,
    );
    return { expiresAt };
  }

  /** Ends a run for good. @throws what the disk says; in this process it has ended all the same */
  async end(run: string): Promise<void> {
    const { store, now } = this.#parts;
    const profile = store.book.runs.run(run)?.profile;
    if (profile !== undefined) await store.happen({ kind: 'end', run, profile }, now());
  }

  /** Stops a run, a profile or all, and waits for what had left already. */
  async kill(target: KillTarget, waitMs: number): Promise<Killed> {
    const { store, onTheirWay, now } = this.#parts;
    const from = performance.now();
    const refusedFrom = now();
    const writing = store.kill(target, refusedFrom);
    // From here on nothing of it leaves: what has left is what must be waited for.
    const calls = onTheirWay.sentOf(target);
    const { epoch } = store.book.runs;
    const unwritten = await writing.then(
      () => undefined,
      (cause: Error) => cause.message,
    );
    const writtenMs = performance.now() - from;
    const isQuiet = await onTheirWay.ended(calls, waitMs);
    return { epoch, refusedFrom, writtenMs, unwritten, calls, isQuiet, quietMs: performance.now() - from };
  }

  /** Takes a kill back. @param epoch what the asker saw last: who has not seen the latest kill cannot lift it */
  async resume(target: KillTarget, epoch: number): Promise<{ readonly epoch: number } | NotDone> {
    const { store, now } = this.#parts;
    const { runs } = store.book;
    if (epoch !== runs.epoch) {
      return {
        problem: `The epoch is ${runs.epoch}, not ${epoch}: something was killed or resumed since.`,
        hint: 'Look at "keyaudit guard status" again, then resume with its epoch.',
      };
    }
    const isKilled = runs.killed.some((one) => isSame(one, target));
    if (!isKilled) return { problem: 'It is not killed.', hint: '"keyaudit guard status" shows what is.' };
    const next = epoch + 1;
    await store.happen({ kind: 'resume', target, epoch: next }, now());
    return { epoch: next };
  }

  /** What a name on the command line stands for. */
  targetNamed(name: string): KillTarget | undefined {
    const { store, profiles } = this.#parts;
    const run = store.book.runs.targetNamed(name);
    if (run !== undefined) return run;
    return profiles.get(name) === undefined ? undefined : { of: 'profile', name };
  }
}

function isSame(a: KillTarget, b: KillTarget): boolean {
  return a.of === b.of && (a.of === 'all' || b.of === 'all' || a.name === b.name);
}

/** A run's own caps can only narrow. */
function tooWide({ caps }: IssueRequest, { guard, profile }: Served): NotDone | undefined {
  for (const cap of caps) {
    const most = guard.caps
      .filter(({ per }) => per === 'run')
      .flatMap((one) => amountIn(one, cap.currency) ?? []);
    const isCapped = guard.caps.some((one) => amountIn(one, cap.currency) !== undefined);
    if (!isCapped) {
      return {
        problem: `${profile.name} has no cap in ${cap.currency}, so that nothing of it may be moved.`,
      };
    }
    const lowest = Math.max(...most);
    if (most.length > 0 && cap.minor > lowest) {
      const said = formatAmount({ minor: lowest, currency: cap.currency });
      return {
        problem: `${formatAmount(cap)} is more than ${profile.name} allows per run (${said}).`,
        hint: 'A cap given here can only narrow.',
      };
    }
  }
  return undefined;
}

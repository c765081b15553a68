import type { OperationName } from '../catalog/catalog.ts';
import type { Amount } from './amount.ts';
import { readAmount } from './amount.ts';
import type { IssueEvent, KillTarget, LogEvent } from './log-row.ts';

/** One piece of an agent's work. */
export interface Run {
  readonly id: string;
  readonly profile: string;
  readonly scope: string;
  readonly issuedAt: number;
  /** The latest of its keys' ends, in ms since 1970. */
  expiresAt: number;
  readonly caps: readonly Amount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly repeats: readonly OperationName[];
  readonly rollMs?: number | undefined;
  /** It was ended, for good. */
  isEnded: boolean;
}

export type RunState = 'live' | 'ended' | 'expired' | 'killed';

/** A key of a run. */
interface RunKey {
  readonly run: string;
  readonly expiresAt: number;
}

/** All that is known of runs, as JSON. */
export interface RunsState {
  readonly runs: readonly Run[];
  readonly keys: readonly (readonly [digest: string, key: RunKey])[];
  readonly killed: readonly KillTarget[];
  readonly epoch: number;
}

/** The runs and their keys, and what is killed. */
export class Runs {
  readonly #runs = new Map<string, Run>();
  readonly #keys = new Map<string, RunKey>();
  readonly #killedRuns = new Set<string>();
  readonly #killedProfiles = new Set<string>();
  #isAllKilled = false;
  #epoch = 0;

  /** @param state as `state` gave it */
  constructor(state: RunsState = { runs: [], keys: [], killed: [], epoch: 0 }) {
    for (const run of state.runs) this.#runs.set(run.id, { ...run });
    for (const [digest, key] of state.keys) this.#keys.set(digest, key);
    for (const target of state.killed) this.#mark(target, true);
    this.#epoch = state.epoch;
  }

  state(): RunsState {
    return { runs: this.all(), keys: [...this.#keys], killed: this.killed, epoch: this.#epoch };
  }

  /** How many kills and resumes there have been. */
  get epoch(): number {
    return this.#epoch;
  }

  /** What is killed now, as `kill` names it. */
  get killed(): readonly KillTarget[] {
    return [
      ...(this.#isAllKilled ? [{ of: 'all' } as const] : []),
      ...[...this.#killedProfiles].map((name) => ({ of: 'profile', name }) as const),
      ...[...this.#killedRuns].map((name) => ({ of: 'run', name }) as const),
    ];
  }

  all(): readonly Run[] {
    return [...this.#runs.values()];
  }

  run(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /** The run of a key, by the key's digest, and whether the key itself has expired. */
  byKey(digest: string, now: number): { readonly run: Run; readonly state: RunState } | undefined {
    const key = this.#keys.get(digest);
    const run = key === undefined ? undefined : this.#runs.get(key.run);
    if (key === undefined || run === undefined) return undefined;
    const state = this.stateOf(run.id, now);
    return { run, state: state === 'live' && now >= key.expiresAt ? 'expired' : state };
  }

  /** A run that there is not has ended. */
  stateOf(id: string, now: number): RunState {
    const run = this.#runs.get(id);
    if (run === undefined) return 'ended';
    if (this.isKilled(run)) return 'killed';
    if (run.isEnded) return 'ended';
    return now >= run.expiresAt ? 'expired' : 'live';
  }

  isKilled({ id, profile }: Pick<Run, 'id' | 'profile'>): boolean {
    return this.#isAllKilled || this.#killedProfiles.has(profile) || this.#killedRuns.has(id);
  }

  /** Whose counters per run it takes from now, and what it may. */
  placeOf(
    id: string,
    now: number,
  ): { readonly roll: string; readonly caps: readonly Amount[]; readonly repeats: readonly OperationName[] } {
    const run = this.#runs.get(id);
    if (run === undefined) return { roll: id, caps: [], repeats: [] };
    const { rollMs, issuedAt, caps, repeats } = run;
    const count = rollMs === undefined ? 0 : Math.max(0, Math.floor((now - issuedAt) / rollMs));
    return { roll: count === 0 ? id : `${id}#${count}`, caps, repeats };
  }

  apply(event: LogEvent): void {
    switch (event.kind) {
      case 'issue':
        this.#issued(event);
        break;
      case 'end': {
        const run = this.#runs.get(event.run ?? '');
        if (run !== undefined) run.isEnded = true;
        break;
      }
      case 'kill':
      case 'resume':
        this.#epoch = event.epoch;
        this.#mark(event.target, event.kind === 'kill');
        break;
      default:
    }
  }

  /** Whether a name is a run's or a profile's that has had a run. */
  targetNamed(name: string): KillTarget | undefined {
    if (this.#runs.has(name)) return { of: 'run', name };
    return this.all().some(({ profile }) => profile === name) ? { of: 'profile', name } : undefined;
  }

  #issued({
    run: id,
    profile,
    scope,
    key,
    issuedAt,
    expiresAt,
    caps = [],
    labels = {},
    repeats = [],
    rollMs,
  }: IssueEvent): void {
    this.#keys.set(key, { run: id, expiresAt });
    const known = this.#runs.get(id);
    if (known !== undefined) {
      known.expiresAt = Math.max(known.expiresAt, expiresAt);
      return;
    }
    const own = caps.map((text) => readAmount(text)).filter((amount): amount is Amount => 'minor' in amount);
    this.#runs.set(id, {
      id,
      profile,
      scope,
      issuedAt,
      expiresAt,
      caps: own,
      labels,
      repeats,
      rollMs,
      isEnded: false,
    });
  }

  #mark(target: KillTarget, isKilled: boolean): void {
    if (target.of === 'all') {
      this.#isAllKilled = isKilled;
      return;
    }
    const set = target.of === 'profile' ? this.#killedProfiles : this.#killedRuns;
    if (isKilled) set.add(target.name);
    else set.delete(target.name);
  }
}

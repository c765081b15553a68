import type { Run } from '../core/spend/runs.ts';
import { narrower, type Served } from './served.ts';

/** The profiles that are served, as they are now, and as they were when each run began. */
export class ServedProfiles {
  readonly #now = new Map<string, Served>();
  readonly #begun = new Map<string, Served>();
  /** What holds for runs that were begun under another version; worked out once for each pair. */
  readonly #between = new WeakMap<Served, WeakMap<Served, Served>>();

  constructor(served: readonly Served[]) {
    for (const one of served) this.#now.set(one.profile.name, one);
  }

  all(): readonly Served[] {
    return [...this.#now.values()];
  }

  get(name: string): Served | undefined {
    return this.#now.get(name);
  }

  /** A profile has changed; what is narrower bites at once. */
  replace(served: Served): void {
    this.#now.set(served.profile.name, served);
  }

  /** A run begins under the profile as it is now. */
  begin(run: string, profile: string): void {
    const served = this.#now.get(profile);
    if (served !== undefined && !this.#begun.has(run)) this.#begun.set(run, served);
  }

  /** What holds for a run; undefined where its profile is not served. */
  servedFor({ id, profile }: Pick<Run, 'id' | 'profile'>): Served | undefined {
    const now = this.#now.get(profile);
    const before = this.#begun.get(id);
    if (now === undefined || before === undefined || before === now) return now;
    const known = this.#between.get(before) ?? new WeakMap<Served, Served>();
    this.#between.set(before, known);
    const both = known.get(now) ?? narrower(before, now);
    known.set(now, both);
    return both;
  }
}

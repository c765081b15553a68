import type { OperationName } from './catalog.ts';
import { encodedVersions } from './data/versions.ts';
import type { ObjectName } from './expansion.ts';

/** What a version of the API takes and the catalog's does not. */
export interface OlderVersion {
  /**
   * By operation: `items[][plan]` a parameter, `type=card_present` a value of one, `reason=*` any value of it,
   * `trial_end=` the empty text, `-file` that a required one be left out.
   */
  readonly taken: ReadonlyMap<OperationName, ReadonlySet<string>>;
  /** Calls that there are no longer, as `POST_/v1/orders`. */
  readonly calls: ReadonlySet<string>;
  /** By kind of object: fields that can be expanded, encoded as `src/core/catalog/data/expansions.ts` has them. */
  readonly expansions: ReadonlyMap<ObjectName, string>;
}

/** The oldest version that the table goes back to. @see src/core/catalog/data/source/versions.tsv */
export const OLDEST_VERSION = '2020-08-27';

/**
 * What changed between versions of the API, as the SDK's majors declare it.
 * @see src/core/catalog/data/source/versions.tsv
 */
export class OlderVersions {
  readonly #rows = encodedVersions.split('\n').map((line) => {
    const [before = '', subject = '', ...tokens] = line.split(' ');
    return { before, subject, tokens };
  });
  readonly #dates = [...new Set(this.#rows.map(({ before }) => before))].sort();
  readonly #known = new Map<number, OlderVersion>();

  /** The first version of the API without it, for each call that is gone, as `POST /v1/orders`. */
  get callsBefore(): ReadonlyMap<string, string> {
    const calls = this.#rows.filter(({ subject }) => subject.includes('/'));
    return new Map(calls.map(({ subject, before }) => [subject.replace('_', ' '), before]));
  }

  /** The versions from which on something is gone, the latest first, each with what older ones expand besides. */
  expansionsBefore(): readonly (readonly [before: string, ReadonlyMap<ObjectName, string>])[] {
    return this.#dates
      .map((before, index) => {
        const older = this.#read(this.#dates[index - 1] ?? OLDEST_VERSION);
        return [before, older.expansions] as const;
      })
      .reverse();
  }

  /** @param version as in `Stripe-Version`; undefined where it takes no more than the catalog's does */
  of(version: string): OlderVersion | undefined {
    const date = version.slice(0, 10);
    const passed = this.#dates.filter((before) => before <= date).length;
    if (passed === this.#dates.length) return undefined;
    const known = this.#known.get(passed);
    if (known !== undefined) return known;
    const made = this.#read(date);
    this.#known.set(passed, made);
    return made;
  }

  #read(date: string): OlderVersion {
    const taken = new Map<OperationName, Set<string>>();
    const calls = new Set<string>();
    const expansions = new Map<ObjectName, string>();
    for (const { before, subject, tokens } of this.#rows) {
      if (before <= date) continue;
      if (subject.startsWith('@')) {
        const kind = subject.slice(1);
        expansions.set(kind, [expansions.get(kind) ?? '', ...tokens].join(' '));
      } else if (subject.includes('/')) calls.add(subject);
      else {
        const known = taken.get(subject) ?? new Set();
        taken.set(subject, known);
        for (const token of tokens) known.add(token);
      }
    }
    return { taken, calls, expansions };
  }
}

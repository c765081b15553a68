import type { Verdict } from '../core/verdict/verdict.ts';

/** So many first answers that say the same and do not tell, on so many resources, and the rest would not either. */
const SAME = { answers: 12, resources: 6 };
/** What has a way of its own to end a run, or says something of one probe alone. */
const ENDED_ELSEWHERE: ReadonlySet<string> = new Set([
  'network',
  'server-error',
  'rate-limit',
  'foreign-answer',
  'blind-probe',
  'dead-key',
  'ip-refused',
]);

/** Watches the first answers of a run: while they are one and the same and tell nothing, asking on is of no use. */
export class FirstAnswers {
  readonly #resources = new Set<string>();
  #words: string | undefined;
  #answers = 0;
  #hasTold = false;

  /** Whether with this one it is enough. */
  isHopeless(resource: string, { kind, reason, message }: Verdict): boolean {
    const words = `${reason} ${message}`;
    this.#hasTold ||=
      kind !== 'inconclusive' ||
      ENDED_ELSEWHERE.has(reason ?? '') ||
      (this.#words !== undefined && this.#words !== words);
    if (this.#hasTold) return false;
    this.#words = words;
    this.#answers++;
    this.#resources.add(resource);
    return this.#answers >= SAME.answers && this.#resources.size >= SAME.resources;
  }
}

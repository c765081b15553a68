/** Another number is another run: KEYAUDIT_FUZZ_SEED=7 npx vitest run test/fuzz */
export const SEED = Number(process.env.KEYAUDIT_FUZZ_SEED ?? 20_261_123);

/** Chance that can be repeated (mulberry32). */
export class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  upTo(n: number): number {
    return Math.floor(this.next() * n);
  }
  of<T>(list: readonly T[]): T {
    return list[this.upTo(list.length)] as T;
  }
  is(probability: number): boolean {
    return this.next() < probability;
  }
  text(longest: number, letters = ODD): string {
    return Array.from({ length: this.upTo(longest) }, () => this.of(letters)).join('');
  }
}

const ODD = [...'abz019_-./:;%&=?#[]{}()<>"\'`\\| \t\n\0,+*~^$@!éß漢🙂'];

import type { Behaviour } from '../../../src/sandbox/faults/behaviour.ts';
import type { HintScene, Printed } from './hint-scene.ts';

/** A hint: where it stands in the source, a state in which it is printed, and what it promises. */
export interface HintRow {
  /** From src/, and which of its texts. */
  readonly of: readonly (readonly [file: string, text: RegExp])[];
  readonly what: string;
  /** Brings the state about, and returns what was printed there. */
  readonly state: (here: HintScene) => Promise<Printed>;
  /** The command as it is printed, in a group. */
  readonly prints: RegExp;
  /** What a reader puts in the place of words in capitals. */
  readonly as?: Readonly<Record<string, string>>;
  /** What a reader adds to it. */
  readonly plus?: string;
  readonly env?: (here: HintScene) => Readonly<Record<string, string>>;
  /** It runs until it is ended, and says this when it is ready. */
  readonly starts?: RegExp;
  /** Done by the reader before, where the hint says so. */
  readonly first?: (here: HintScene) => Promise<void>;
  readonly exitCode?: number;
  readonly says?: RegExp;
  /** What is so afterwards. */
  readonly after?: (here: HintScene) => Promise<void>;
  /** `here` on the embedded sandbox, `elsewhere` with `--target stripe --api-base`, or on both. */
  readonly where?: 'here' | 'elsewhere' | 'both';
  readonly behaviour?: Partial<Behaviour>;
}

/** A text that names a command and is no hint, or is shown to be true elsewhere. */
export interface NoHint {
  readonly of: readonly [file: string, text: RegExp];
  readonly why: string;
  /** The test that runs it as printed. */
  readonly test?: string;
}

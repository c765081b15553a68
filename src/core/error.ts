import type { ErrorCode } from './error-code.ts';

/** Exit codes of every command; the README repeats this table and a test compares the two. */
export const EXIT = {
  /** The key does what its profile says. */
  ok: 0,
  /** Findings: an over-grant, an under-grant, drift from the lock file. */
  findings: 1,
  /** Wrong usage, or a wrong profile. */
  usage: 2,
  /** Could not be determined: dead key, network, rate limit, nothing probed. */
  undetermined: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A place in a file that the user wrote; line and column count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing wrong in a file, with where it stands and what to write instead. */
export interface Problem {
  readonly message: string;
  readonly hint?: string;
  readonly location?: SourceLocation;
}

export interface KeyauditErrorOptions {
  /** What the user can do next, one sentence. */
  readonly hint?: string;
  /** Default: `usage` (2). */
  readonly exitCode?: ExitCode;
  /** Several problems of one kind (all mistakes of a profile, say); printed one a line. */
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
}

/**
 * The one error class: thrown where the facts are, printed once in `cli/`.
 * `code` is stable and upper case (`PROFILE_INVALID`); a stack trace is only ever a bug of ours.
 */
export class KeyauditError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, options: KeyauditErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KeyauditError';
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? EXIT.usage;
    this.problems = options.problems ?? [];
  }
}

/** Why a run ended early or could not begin, with what to do. */
export interface Stopped {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

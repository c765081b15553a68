import { DAY_MS } from '../duration.ts';

/** A file that had a say, with the digest of its text. */
export interface SourceFile {
  /** As shown to the user. */
  readonly file: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
}

/** The run of a CI system that a report comes from, as far as its environment tells. */
export interface CiRun {
  readonly system: string;
  /** 40 or 64 hex digits. */
  readonly commit: string | null;
  /** The branch or tag. */
  readonly ref: string | null;
  /** `https://…` */
  readonly repository: string | null;
  /** The page of the run. */
  readonly url: string | null;
}

/** Where a report comes from: what somebody asks who was not there. */
export interface Provenance {
  /** ISO 8601, in UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** The version of keyaudit. */
  readonly keyaudit: string;
  readonly ci: CiRun | null;
  readonly policy: SourceFile | null;
  /** The lock file that was compared with. */
  readonly lock: SourceFile | null;
}

/** Whole days from `createdAt` to `at`; undefined where the age is not known. Never below zero. */
export function ageInDays(createdAt: string | null, at: string): number | undefined {
  if (createdAt === null) return undefined;
  return Math.max(0, Math.floor((Date.parse(at) - Date.parse(createdAt)) / DAY_MS));
}

/** The end of a run. ISO 8601, in UTC. */
export function endOf({ startedAt, durationMs }: Pick<Provenance, 'startedAt' | 'durationMs'>): string {
  return new Date(Date.parse(startedAt) + durationMs).toISOString();
}

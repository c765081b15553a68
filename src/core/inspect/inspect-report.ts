import { EXIT, type ExitCode, type Stopped } from '../error.ts';
import type { ConnectState } from '../verdict/connect-state.ts';
import type { KeyRecordWitness } from '../verdict/record.ts';
import type { Unseen } from '../verdict/unseen.ts';
import type { Inference, InferredPermission } from './infer-permissions.ts';

/** What `inspect` found out about one key; never its secret. */
export interface InspectReport {
  readonly target: string;
  readonly apiBase: string;
  readonly targetNote: string;
  readonly catalog: string;
  readonly apiVersion: string;
  readonly key: {
    readonly mode: 'test' | 'live' | null;
    readonly fingerprint: string;
    /** `the variable STRIPE_KEY`, `standard input`. */
    readonly place: string;
  };
  readonly inference: Inference;
  /** Whether the answers alone tell of all that calls can tell; the record does not stand in for one that is missing. */
  readonly answersTell: boolean;
  /** What is known of its Connect side as a whole. */
  readonly connect: ConnectState;
  readonly record: KeyRecordWitness;
  /** The permissions of both sides that neither answers nor the record showed, the gravest tier first. */
  readonly unseen: readonly Unseen[];
  /** Probes answered so that they tell, and all that were planned. */
  readonly answered: number;
  readonly probes: number;
  /** Requests sent, retries included. */
  readonly requests: number;
  /** Why probes told nothing, with how many of them. */
  readonly inconclusive: readonly {
    readonly reason: string;
    readonly message: string;
    readonly count: number;
  }[];
  /** Why the run ended early; absent when it ran to its end. */
  readonly stopped?: Stopped;
}

/** The permissions of one state, in the catalog's order. */
export function permissionsOf(
  { inference }: Pick<InspectReport, 'inference'>,
  state: InferredPermission['state'],
): readonly InferredPermission[] {
  return inference.permissions.filter((one) => one.state === state);
}

/** Whether asking again could tell more; what no call needs, or others cover, stays unknown for ever. */
export function isUnanswered({ state, reason }: InferredPermission): boolean {
  return state === 'undetermined' && reason !== 'no-operation' && reason !== 'covered';
}

/** 3 as long as an answer is missing that could have been had; nothing answered is never 0. */
export function exitCodeOfInspection(report: InspectReport): ExitCode {
  const complete = report.stopped === undefined && report.answered > 0 && report.answersTell;
  return complete ? EXIT.ok : EXIT.undetermined;
}

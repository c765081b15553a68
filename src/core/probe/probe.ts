import type { Operation } from '../catalog/catalog.ts';

/** Why a probe is harmless, whatever the key may do. */
export type ProbeShape =
  | 'list'
  | 'singleton'
  | 'retrieve'
  | 'missing-object'
  | 'missing-parameter'
  | 'unknown-parameter'
  | 'impossible-value';

/** A request that asks "may this key do X?" and cannot do X. */
export interface Probe {
  readonly operation: Operation;
  /** Concrete path, with ids that cannot exist, and the query of a GET. */
  readonly path: string;
  /** Form fields (v1) or JSON (v2). */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Sent as `multipart/form-data`, as file uploads are. */
  readonly multipart?: boolean;
  /** Sent as `Stripe-Account`, for the Connect side. */
  readonly account?: string;
  readonly shape: ProbeShape;
  /** The best evidence that an answer other than a refusal can give. */
  readonly strength: 'strong' | 'weak';
  /** A calibration has shown that this probe is refused without permission and accepted with it. */
  readonly calibrated: boolean;
  /** A calibration has shown that every key gets the same answer to this probe. */
  readonly blind?: boolean;
  /** A calibration has shown that this probe is not harmless: it must not be sent. */
  readonly unsafe?: boolean;
}

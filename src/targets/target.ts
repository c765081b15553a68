import type { Catalog } from '../core/catalog/catalog.ts';
import type { SecretKey } from '../core/secret-key.ts';
import type { Target } from '../core/target.ts';

/** Which target, and what opening it may need. */
export interface TargetRequest {
  readonly target: Target;
  /** A server in place of the target's own. */
  readonly apiBase?: string | undefined;
  /** Whether live keys are allowed. */
  readonly live: boolean;
  /** A sandbox that listens nowhere: this process alone reaches it. */
  readonly isPrivate?: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What an embedded sandbox enforces. */
  readonly catalog: Catalog;
}

/** A target that is ready to be asked. */
export interface OpenTarget {
  readonly name: Target;
  readonly apiBase: string;
  /** One sentence for every result: what was asked. */
  readonly note: string;
  /** The secret key that makes keys there. @throws KeyauditError when none was given */
  secretKey(): SecretKey;
  close(): Promise<void>;
}

/** Opens one kind of target. */
export type OpenTargetKind = (request: TargetRequest) => Promise<OpenTarget>;

import { z } from 'zod';
import type { Level, OperationName, PermissionName, ResourceName } from '../catalog/catalog.ts';
import type { SourceLocation } from '../error.ts';
import { type GuardKeys, type GuardSection, guardSchema } from './guard-section.ts';
import { PROFILE_NAME, PROFILE_NAME_RULE } from './profile-name.ts';
import { VARIABLE_NAME, variableFault } from './variable-name.ts';

/**
 * The profile language as a zod schema: the shape only. Names of resources, permissions and
 * operations are checked against the catalog by {@link readProfile}, which also gives positions.
 * `schema/profile.schema.json` is made from this.
 */
export const levelSchema = z.enum(['none', 'read', 'write']);

const why = z.string().min(1).describe('Why the agent needs it; shown in plans and reports');

const permissionEntrySchema = z.union([
  levelSchema,
  z.strictObject({ level: levelSchema, why: why.optional() }),
]);

const operationList = z.array(z.string().min(1));

export const acceptEntrySchema = z.strictObject({
  operations: operationList
    .min(1)
    .describe('The operations that the grant allows beyond what the profile asks'),
  reason: z.string().min(1).describe('Why that is taken knowingly'),
  until: z.iso.date().optional().describe('Last day on which this counts, YYYY-MM-DD'),
});

export const profileSchema = z.strictObject({
  name: z.string().regex(PROFILE_NAME, PROFILE_NAME_RULE).describe('The name of the archetype of agent'),
  description: z.string().optional(),
  env: z
    .string()
    .regex(VARIABLE_NAME, { message: 'a variable name such as STRIPE_REFUND_AGENT_KEY', abort: true })
    .superRefine((name, context) => {
      const fault = variableFault(name);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault.message });
    })
    .optional()
    .describe("The environment variable that holds this agent's key; a distinct name for each archetype"),
  extends: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe('Profiles to start from, by name or path; later ones and this file win'),
  permissions: z
    .record(z.string(), permissionEntrySchema)
    .optional()
    .describe('Resources (or raw permission names) with the level that the agent needs; the rest is none'),
  connect_permissions: z
    .record(z.string(), permissionEntrySchema)
    .optional()
    .describe('The same, for calls with the Stripe-Account header'),
  checks: z
    .strictObject({
      allow: operationList.optional().describe('Calls that must work'),
      forbid: operationList.optional().describe('Calls that must be refused'),
    })
    .optional(),
  accept: z.array(acceptEntrySchema).optional().describe('Widenings taken knowingly'),
  widening: z
    .enum(['report', 'strict'])
    .optional()
    .describe('strict: a widening that only reads must be accepted as well'),
  only: z
    .boolean()
    .optional()
    .describe('true: the key may do exactly this and nothing else that the catalog knows'),
  rate: z.number().positive().max(100).optional().describe('Probes a second for this account'),
  guard: guardSchema.optional().describe('What keyaudit guard lets through, and how much'),
});

export type ProfileDocument = z.infer<typeof profileSchema>;

/** A resource or raw permission that a profile asks for. */
export interface PermissionEntry {
  /** As written: a resource name, or a raw permission name. */
  readonly name: ResourceName | PermissionName;
  readonly raw: boolean;
  readonly level: Level;
  readonly why?: string;
  readonly location: SourceLocation;
}

/** An operation that a profile names. */
export interface NamedOperation {
  readonly operation: OperationName;
  readonly location: SourceLocation;
}

/** Widenings that a profile takes knowingly. */
export interface Acceptance {
  readonly operations: readonly NamedOperation[];
  readonly reason: string;
  /** Last day on which it counts, YYYY-MM-DD. */
  readonly until?: string;
  readonly location: SourceLocation;
}

/** A profile as one file gives it: checked, its names resolved, `extends` still to follow. */
export interface ProfileFile {
  readonly file: string;
  readonly name: string;
  readonly location: SourceLocation;
  readonly description?: string;
  readonly env?: string;
  readonly extends: readonly { readonly name: string; readonly location: SourceLocation }[];
  readonly permissions: readonly PermissionEntry[];
  readonly connectPermissions: readonly PermissionEntry[];
  readonly allow: readonly NamedOperation[];
  readonly forbid: readonly NamedOperation[];
  readonly accept: readonly Acceptance[];
  readonly widening?: 'report' | 'strict';
  readonly only?: boolean;
  readonly rate?: number;
  readonly guard?: GuardKeys | undefined;
}

/** A profile after `extends`: what one archetype of agent may do. */
export interface Profile {
  readonly file: string;
  readonly name: string;
  readonly location: SourceLocation;
  readonly description?: string;
  /** The variable that holds the key; by default made from the name. */
  readonly env: string;
  /** Names of the profiles it was built from, nearest first. */
  readonly parents: readonly string[];
  readonly permissions: readonly PermissionEntry[];
  readonly connectPermissions: readonly PermissionEntry[];
  readonly allow: readonly NamedOperation[];
  readonly forbid: readonly NamedOperation[];
  readonly accept: readonly Acceptance[];
  readonly widening: 'report' | 'strict';
  readonly only: boolean;
  readonly rate?: number;
  /** Absent where the profile says nothing of a guard, which then does not serve it. */
  readonly guard?: GuardSection | undefined;
}

/** The variable for a profile that names none: `refund-agent` → `STRIPE_REFUND_AGENT_KEY`. */
export function defaultVariable(profileName: string): string {
  return `STRIPE_${profileName.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_KEY`;
}

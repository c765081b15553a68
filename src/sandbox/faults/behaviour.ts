import { z } from 'zod';
import { didYouMean } from '../../core/document/nearest.ts';
import { shapeSentence } from '../../core/document/shape-problem.ts';
import { KeyauditError } from '../../core/error.ts';
import { REFUSAL_DIALECTS } from '../../core/verdict/refusal-dialect.ts';

const everyNth = z.int().positive().optional();
const ms = z.number().nonnegative().max(3_600_000);

/** Which stranger answers in Stripe's place. */
const FOREIGN_ANSWERS = [
  'html',
  'captive-portal',
  'proxy-403',
  'not-stripe',
  'redirect',
  'no-request-id',
] as const;

/**
 * How the sandbox behaves beyond serving: Stripe's measured quirks, and faults on request. "Every nth"
 * counts requests, so that a run can be repeated exactly.
 */
export const behaviourSchema = z.strictObject({
  dialect: z.enum(REFUSAL_DIALECTS).default('e').describe('Wording of a refusal, as in docs/observed.md'),
  latencyMs: ms.default(0).describe('Added to each answer'),
  rateLimit: z.number().positive().optional().describe('Requests a second for the account; more answer 429'),
  lockTimeoutEvery: everyNth.describe('Every nth request answers 429 lock_timeout, without a reason header'),
  serverErrorEvery: everyNth.describe('Every nth request answers 500'),
  resetEvery: everyNth.describe('Every nth connection is cut before an answer'),
  truncateEvery: everyNth.describe('Every nth answer is JSON that stops half-way'),
  hangEvery: everyNth.describe('Every nth request is never answered'),
  slowBodyMs: ms.default(0).describe('The body drips for so long'),
  foreign: z.enum(FOREIGN_ANSWERS).optional().describe('A stranger answers'),
  foreignAfter: z.int().nonnegative().default(0).describe('... after so many requests'),
  keysDieAfter: z
    .int()
    .nonnegative()
    .optional()
    .describe('Restricted keys are expired after so many requests'),
  refuseAddress: z.boolean().default(false).describe('Keys may not be used from this IP address'),
  clockSkewSeconds: z.number().default(0).describe('How far the Date header is off'),
  blind: z.array(z.string()).default([]).describe('Operations that validate before they authorise'),
  impossible: z.array(z.string()).default([]).describe('Operations that no restricted key may call'),
  expiryDelayMs: ms.default(9_000).describe('How long an expired key goes on working'),
  narrowingDelayMs: ms.default(1_000).describe('How long an update of permissions takes to be in force'),
  keyApi: z
    .enum(['available', 'refused', 'missing'])
    .default('available')
    .describe('Whether secret keys may use the managed key API'),
  jweAlgorithm: z
    .enum(['RSA-OAEP', 'RSA-OAEP-256', 'RSA-OAEP-512'])
    .default('RSA-OAEP-256')
    .describe('How live secrets are sealed; keyaudit refuses the third'),
  loseKeyAnswerEvery: everyNth.describe('Every nth key is made, and the connection cut before the answer'),
  grantsMore: z
    .array(z.string())
    .default([])
    .describe('Permissions that every new key gets beyond those asked for'),
  grantsMoreConnect: z.array(z.string()).default([]).describe('The same for the Connect side'),
  recordOmits: z
    .array(z.string())
    .default([])
    .describe("Permissions that a key holds and that the key API's record of it leaves out"),
  recordRefused: z.boolean().default(false).describe('The key API makes and ends keys, and shows none'),
  refusalNames: z
    .record(z.string(), z.string())
    .default({})
    .describe('The permission that the refusal of an operation names, whatever would do'),
  previews: z
    .boolean()
    .default(true)
    .describe('The account may call what is in preview or gone from the SDK'),
});

export type Behaviour = z.infer<typeof behaviourSchema>;

/** As Stripe was measured, without faults. */
export function defaultBehaviour(): Behaviour {
  return behaviourSchema.parse({});
}

/** @throws KeyauditError `BEHAVIOUR_INVALID`, naming each wrong field */
export function parseBehaviour(value: unknown, file: string): Behaviour {
  const parsed = behaviourSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const names = Object.keys(behaviourSchema.shape);
  throw new KeyauditError('BEHAVIOUR_INVALID', `${file} does not say how the sandbox is to behave.`, {
    problems: parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            message: `Unknown key "${key}".`,
            hint: didYouMean(key, names) ?? `Valid keys: ${names.join(', ')}.`,
          }))
        : [{ message: `${shapeSentence(issue, 'The file')}.` }],
    ),
  });
}

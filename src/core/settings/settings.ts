import { z } from 'zod';
import type { SourceLocation } from '../error.ts';
import { KEY_API_CHOICES } from '../key-api.ts';
import { DEPTHS } from '../probe/depth.ts';
import { WITNESSES } from '../probe/witness.ts';
import { TARGETS } from '../target.ts';

/** A path below the folder of the file: no way up, no root, no drive. */
const BELOW = /^(?!\/|~|[A-Za-z]:|.*(?:^|[/\\])\.\.(?:[/\\]|$))[^\0:]+$/;
/** Only names that every tool takes for an env file, and no folder that a build could publish. */
const STORE = /^env-file(?::(?:\.keyaudit\/[\w.-]+|\.env[\w.-]*))?$/;
const REPORT = /^([a-z]+)=(.+)$/;

const store = z
  .string()
  .regex(
    STORE,
    'a settings file may name env-file, or env-file:PATH with a .env file beside it; commands and other places come from --store or KEYAUDIT_STORE alone',
  );

/**
 * The language of `keyaudit.config.yaml` as a zod schema. It comes with a checkout, so it may say how keyaudit works
 * here, and never what to run, which live key may be used, or which server is handed a secret.
 * `schema/config.schema.json` is made from this.
 */
export const settingsSchema = z.strictObject({
  target: z.enum(TARGETS).optional().describe('Where requests go (--target)'),
  'api-base': z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'The server of this project. No key is sent there until --api-base or KEYAUDIT_API_BASE says the same',
    ),
  depth: z.enum(DEPTHS).optional().describe('How much is probed (--depth)'),
  witness: z
    .enum(WITNESSES)
    .optional()
    .describe("Who says what a key may do: its probes, Stripe's record, or both (--witness)"),
  rate: z.number().positive().max(100).optional().describe('Probes a second (--rate)'),
  store: store.optional().describe('Where secrets go (--store): env-file, or env-file:.env.local'),
  'key-api': z.enum(KEY_API_CHOICES).optional().describe('How keys are made (--key-api)'),
  reports: z
    .array(
      z
        .string()
        .regex(REPORT, 'FORMAT=FILE')
        .refine((text) => BELOW.test(text.replace(REPORT, '$2')), 'a file below the folder of this file'),
    )
    .optional()
    .describe('Further reports of verify and rotate, each FORMAT=FILE (--report)'),
  profiles: z
    .string()
    .regex(BELOW, 'a folder below the folder of this file')
    .optional()
    .describe('The folder of the profiles (default: profiles)'),
});

type Document = z.infer<typeof settingsSchema>;
export type SettingName = keyof Document;

/** The names of all settings, in the order in which they are shown. */
export const SETTING_NAMES = Object.keys(settingsSchema.shape) as readonly SettingName[];

/** What a settings file says. */
export interface Settings {
  readonly file: string;
  readonly values: Readonly<Document>;
  /** Where a setting stands. */
  locate(name: SettingName): SourceLocation;
}

/** What a file may never say, whoever wrote it, with the way that there is. */
export const NEVER_SETTINGS: Readonly<Record<string, string>> = {
  live: 'Live keys are allowed by --live or KEYAUDIT_LIVE alone.',
  'key-from': 'Commands come from the command line alone: say --key-from.',
  'read-back': 'Commands come from the command line and the environment alone: say --read-back.',
  'key-env': 'Say --key-env, or "env:" in the profile.',
  account: 'Say --account.',
  output: 'Say --output or KEYAUDIT_OUTPUT.',
  policy: 'The policy is keyaudit.policy.yaml beside this file, or --policy.',
  frozen: 'Say --frozen or KEYAUDIT_FROZEN, where the build is defined.',
};

import { z } from 'zod';
import type { OperationName } from '../catalog/catalog.ts';
import { durationMs, durationText, parseDuration } from '../duration.ts';
import type { SourceLocation } from '../error.ts';
import { formatAmount, readAmount } from '../spend/amount.ts';
import { CAP_DIRECTIONS, CAP_PERIODS, type Cap } from '../spend/cap.ts';
import { isTimeZone } from '../spend/day.ts';

const amountText = z
  .string()
  .superRefine((text, { addIssue }) => {
    const amount = readAmount(text);
    if ('problem' in amount) addIssue({ code: 'custom', message: `"${text}" ${amount.problem}` });
  })
  .describe('A number and a currency, such as "50.00 usd"');

const count = z.number().int().min(0).max(1_000_000_000);
const operationNames = z.array(z.string().min(1)).min(1);

const capSchema = z
  .strictObject({
    per: z.enum(CAP_PERIODS).describe('What it is counted by; "24h" rolls'),
    amount: z
      .union([amountText, z.array(amountText).min(1)])
      .optional()
      .describe('The most that may be moved; one for each currency'),
    calls: count.optional().describe('The most calls'),
    of: operationNames
      .optional()
      .describe(
        `Operations, or directions (${CAP_DIRECTIONS.join(', ')}); every money operation if left out`,
      ),
  })
  .refine(({ amount, calls }) => amount !== undefined || calls !== undefined, {
    message: 'it limits nothing; give it an amount or a number of calls',
  });

/** The `guard` section of the profile language: the shape; names of operations are checked by `readGuard`. */
export const guardSchema = z.strictObject({
  only: z
    .enum(['asked', 'checks', 'grant'])
    .optional()
    .describe(
      'What is let through: what the profile asks for, the calls in checks.allow, or all the key can do',
    ),
  caps: z.array(capSchema).optional().describe('Each is checked; the tightest wins'),
  day: z
    .string()
    .refine((zone) => isTimeZone(zone), 'it is no time zone; write one such as UTC or Europe/Berlin')
    .optional()
    .describe('The time zone of "per: day"'),
  repeat: z
    .enum(['refuse', 'allow'])
    .optional()
    .describe('Whether the same operation, object and amount may come again in a run'),
  unknown: z
    .enum(['look-up', 'refuse', 'reserve-rest'])
    .optional()
    .describe('What is done when the amount does not stand in the call'),
  unpriced: z
    .strictObject({
      calls: count.describe('How many such calls a run may make'),
      of: operationNames.optional().describe('Which operations, by name'),
    })
    .refine(({ calls, of }) => calls === 0 || of !== undefined, {
      message: 'name the operations under "of", or let no call through with "calls: 0"',
    })
    .optional()
    .describe('Calls whose amount nobody can tell, or that decide where money goes'),
  intents: z
    .enum(['confirm', 'create'])
    .optional()
    .describe('Whether a payment intent counts when it is confirmed, or when it is created already'),
  accounts: z
    .array(z.string().regex(/^acct_[A-Za-z0-9]+$/, 'an account is written acct_…'))
    .optional()
    .describe('Connected accounts that calls may be about, or send money to'),
  versions: z
    .array(z.string().regex(/^\d{4}-\d{2}-\d{2}(?:\.[a-z]+)?$/, 'a version is written 2026-10-28.endive'))
    .optional()
    .describe('API versions that calls may name beside that of the catalog'),
  ttl: z
    .string()
    .refine((text) => durationMs(text) !== undefined, 'write a duration such as 8h')
    .optional()
    .describe('The longest life of a run key'),
  reads: z
    .enum(['open', 'closed'])
    .optional()
    .describe('Whether reads go on while the log cannot be written; no write ever does'),
});

export type GuardDocument = z.infer<typeof guardSchema>;

/** A cap, and the line that says it. */
export interface LocatedCap extends Cap {
  readonly location?: SourceLocation | undefined;
}

/** What the guard lets through for a profile, and how much. */
export interface GuardSection {
  readonly only: 'asked' | 'checks' | 'grant';
  readonly caps: readonly LocatedCap[];
  /** A time zone. */
  readonly day: string;
  readonly repeat: 'refuse' | 'allow';
  readonly unknown: 'look-up' | 'refuse' | 'reserve-rest';
  readonly unpriced: { readonly calls: number; readonly of: readonly OperationName[] };
  readonly intents: 'confirm' | 'create';
  readonly accounts: readonly string[];
  readonly versions: readonly string[];
  readonly ttlMs: number;
  readonly reads: 'open' | 'closed';
  readonly location?: SourceLocation | undefined;
}

/** What a section says, key by key; what it leaves out the section that it extends says. */
export type GuardKeys = Partial<GuardSection>;

const DEFAULT_TTL = '8h';

/** What a section comes to, later ones replacing earlier ones key by key. */
export function guardSection(sections: readonly GuardKeys[]): GuardSection {
  const said: GuardKeys = Object.assign({}, ...sections.map(definedOf));
  const { only = 'asked', ...rest } = said;
  return {
    only,
    caps: [],
    day: 'UTC',
    repeat: 'refuse',
    unknown: 'look-up',
    unpriced: { calls: 0, of: [] },
    intents: 'confirm',
    accounts: [],
    versions: [],
    ttlMs: parseDuration(DEFAULT_TTL),
    reads: only === 'checks' ? 'closed' : 'open',
    ...rest,
  };
}

function definedOf(keys: GuardKeys): GuardKeys {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
}

/** A document as the section that it is; names are taken as they stand. */
export function guardKeys({ caps, ttl, unpriced, ...rest }: GuardDocument): GuardKeys {
  return {
    ...rest,
    caps: caps?.map(({ per, amount, calls, of }) => ({
      per,
      amounts: (amount === undefined ? [] : [amount].flat()).flatMap((text) => {
        const read = readAmount(text);
        return 'minor' in read ? [read] : [];
      }),
      calls,
      of: of ?? [],
    })),
    unpriced: unpriced === undefined ? undefined : { calls: unpriced.calls, of: unpriced.of ?? [] },
    ttlMs: ttl === undefined ? undefined : parseDuration(ttl),
  };
}

/** A section as a document that reads back as the same, in one order whatever the file's. */
export function guardDocument(section: GuardSection): GuardDocument {
  const { only, caps, day, repeat, unknown, unpriced, intents, accounts, versions, ttlMs, reads } = section;
  return {
    only,
    caps: caps.map(({ per, amounts, calls, of }) => ({
      per,
      ...(amounts.length === 0 ? {} : { amount: [...amounts].map(formatAmount).sort() }),
      calls,
      ...(of.length === 0 ? {} : { of: [...of].sort() }),
    })),
    day,
    repeat,
    unknown,
    unpriced: { calls: unpriced.calls, ...(unpriced.of.length === 0 ? {} : { of: [...unpriced.of].sort() }) },
    intents,
    accounts: [...accounts].sort(),
    versions: [...versions].sort(),
    ttl: durationText(ttlMs),
    reads,
  };
}

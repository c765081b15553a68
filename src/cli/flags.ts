import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { DEPTHS } from '../core/probe/depth.ts';
import { WITNESSES } from '../core/probe/witness.ts';

// Options that several verbs take. An option of one verb stands with that verb.

export const ALL_PROFILES = 'every profile of yours, in ./profiles';
export const EXAMPLES = 'every profile that ships with keyaudit, to try it out';

/** `--examples` alone means all of them. */
export function withExamples<O extends { all?: true | undefined; examples?: true | undefined }>(
  options: O,
): O {
  return options.examples === true ? { ...options, all: true } : options;
}
export const ACCOUNT = 'connected account that a platform acts for (acct_…)';
export const TTL = 'the key expires by itself after so long, such as 90d';

export const storeOption = () =>
  new Option('--store <store>', 'env-file, env-file:PATH, exec:COMMAND or stdout').env('KEYAUDIT_STORE');

export const readBackOption = () =>
  new Option('--read-back <command>', 'prints what an exec: store holds now, so that it is known').env(
    'KEYAUDIT_READ_BACK',
  );

export const depthOption = (description: string) =>
  new Option('--depth <depth>', description).choices(DEPTHS).env('KEYAUDIT_DEPTH');

export const witnessOption = () =>
  new Option('--witness <who>', "who says what the key may do: its probes, Stripe's record of it, or both")
    .choices(WITNESSES)
    .env('KEYAUDIT_WITNESS');

export const probedAccountOption = () =>
  new Option(
    '--account <account>',
    'connected account (acct_…) to probe the Connect permissions with',
  ).argParser(accountId);

export const rateOption = () =>
  new Option('--rate <n>', 'probes a second').argParser(positiveNumber).env('KEYAUDIT_RATE');

export const minCoverageOption = () =>
  new Option('--min-coverage <percent>', 'fail when the named checks exercise less of the grant')
    .argParser(percent)
    .env('KEYAUDIT_MIN_COVERAGE');

/** An option that collects its values. */
export const repeatable = <const Flags extends string>(flags: Flags, description: string) =>
  new Option(flags, `${description} (repeatable)`)
    .argParser<string[]>((value, previous) => [...previous, value])
    .default([] as string[], 'none');

export function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('It must be a port: 0 to 65535.');
  return Number(text);
}

/** A whole number above 0. */
export const countOption = <const Flags extends string>(flags: Flags, description: string) =>
  new Option(flags, description).argParser(wholeNumber);

/** A number from 0 on. */
export const expectedOption = <const Flags extends string>(flags: Flags, description: string) =>
  new Option(flags, description).argParser(notNegative);

function wholeNumber(text: string): number {
  const value = decimal(text);
  if (!(value > 0 && Number.isInteger(value)))
    throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

function notNegative(text: string): number {
  const value = decimal(text);
  if (!(value >= 0)) throw new InvalidArgumentError('It must be a number, 0 or above.');
  return value;
}

function accountId(text: string): string {
  if (!/^acct_[A-Za-z0-9]{1,60}$/.test(text)) throw new InvalidArgumentError('It must be an account: acct_…');
  return text;
}

function percent(text: string): number {
  const value = decimal(text);
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError('It must be a percentage: 0 to 100.');
  return value;
}

function positiveNumber(text: string): number {
  const value = decimal(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

/** What people write as a number; not `0x10`, ` ` or `1e9`, which JavaScript takes for one as well. */
function decimal(text: string): number {
  return /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
}

import type { Depth } from '../../probe/depth.ts';
import type { Witness } from '../../probe/witness.ts';
import { shellWord } from '../../shell-word.ts';
import type { Target } from '../../target.ts';
import type { RecordUnread } from '../../verdict/record.ts';
import type { Unseen } from '../../verdict/unseen.ts';
import type { WitnessContradiction } from '../../verdict/witness-contradictions.ts';
import type { Fix, PermissionFinding } from './permission-finding.ts';

/** What decides which command mends a finding of a key on a target. */
export interface FixContext {
  readonly profile: string;
  /** The profile's file, where one of the user's own can be written to. */
  readonly ownFile: boolean;
  /** What goes behind every command so that it is about the same server: `--target stripe --live`. */
  readonly flags: readonly string[];
  /** The variable that holds the key. */
  readonly variable: string;
  /** Where the key was found: `environment`, `command`, or an env file. */
  readonly place: string;
  /** How it was made, where it was made here and is the newest of its profile on this server. */
  readonly made?: { readonly keyApi: string; readonly place: string };
  /** Whether a later command finds the same account: a stripe-mock has another one each time it is started. */
  readonly isLasting: boolean;
  /** The other profile that this key was made for. */
  readonly madeFor: string | null;
  /** The lock file that was compared with. */
  readonly lockFile?: string;
  /** The last day to propose for an acceptance, where the policy wants one. */
  readonly acceptUntil?: string;
  /** The default place of secrets. */
  readonly defaultPlace: string;
  /** What `verify` was told, so that it can be asked the same again. */
  readonly asked?: AskedSo;
  /** Why Stripe's record of the key was not read; absent where it was. */
  readonly recordUnread?: RecordUnread;
  readonly unseen: readonly Pick<Unseen, 'reason'>[];
  readonly contradictions: readonly Pick<WitnessContradiction, 'operation' | 'connect' | 'suspect'>[];
  readonly target: Target;
}

/** What a run of `verify` was told beside its profiles. */
export interface AskedSo {
  readonly keyEnv?: string;
  readonly depth?: Depth;
  readonly account?: string;
  readonly witness?: Witness;
  readonly unseen?: 'report' | 'fail';
}

/** What mends a finding: one command where one can, and what it does in a sentence. */
export function fixFor(finding: Omit<PermissionFinding, 'fix'>, context: FixContext): Fix | null {
  const { kind, cause, permission, operations } = finding;
  switch (cause) {
    case 'accepted':
      return finding.weight === 'note' ? null : relock(context);
    case 'broader':
      return makeKey(context, 'A key that can do more than the old one, if it is meant,');
    case 'extra':
    case 'unknown':
      if (context.madeFor !== null) return ownKey(context);
      return replaceKey(context, `A new key without ${permission ?? 'it'}`);
    case 'missing':
      if (context.madeFor !== null) return ownKey(context);
      // A new key that can do more than the old one is made by hand and on purpose, never by rotating.
      return makeKey(context, `A new key with ${permission ?? 'what it lacks'}`);
    case 'widening':
      return accept(context, permission, operations);
    case 'impossible':
      return {
        text: `No restricted key may call ${operations.join(', ')}, so that no command mends it: take what asks for it out of the profile, which only its author can decide.`,
      };
    case 'unanswered':
      return askAgain(context, 'When the reason is gone, ask again.');
    case 'not-seen':
      return kind === 'unseen' ? seeMore(context) : settle(finding, context);
    case 'agreement':
      switch (kind) {
        case 'key-too-old':
        case 'key-aging':
          return replaceKey(context, 'A new key');
        case 'wider-key':
        case 'wider-profile':
        case 'new-widening':
        case 'narrower':
        case 'changed':
          return relock(context);
        case 'not-verified':
          return {
            text: `Verify as deep as it was locked; what nobody can verify any more is locked anew with "${commandLine(['lock', context.profile, ...lockWords(context.lockFile)], context)}".`,
            command: commandLine(['verify', '--profile', context.profile, ...frozen(context)], context),
          };
        case 'key-age-unknown':
          return makeKey(context, 'A key that is made here, whose age is then known');
        default:
          return {
            text: 'Name further calls under "checks.allow" of the profile. Which calls matter only its author knows, so that no command writes them, and no --depth asks them in their place.',
          };
      }
  }
}

/** What to do about a key that could not be asked. */
export function fixForStopped(code: string, context: FixContext): Fix | undefined {
  switch (code) {
    case 'KEY_DEAD':
      return makeKey(context, 'A new key');
    case 'KEY_MISSING':
      return makeKey(context, 'A new key', { isFirst: context.made === undefined });
    case 'KEY_EMPTY':
    case 'PROBE_UNSAFE':
    case 'PROBE_WITHHELD':
      return undefined;
    case 'NOTHING_PROBED':
      return {
        text: 'Probe at least one call for each permission.',
        command: commandLine(['verify', '--profile', context.profile, '--depth', 'permissions'], context),
      };
    default:
      return askAgain(context, 'When the reason is gone, ask again.');
  }
}

/** The same question once more, or with something added to it. */
function askAgain(context: FixContext, text: string, changed: Partial<AskedSo> = {}): Fix {
  const { keyEnv, depth, account, witness, unseen } = { ...context.asked, ...changed };
  const words = [
    ...(keyEnv === undefined ? [] : ['--key-env', keyEnv]),
    ...(depth === undefined ? [] : ['--depth', depth]),
    ...(account === undefined ? [] : ['--account', account]),
    ...(witness === undefined ? [] : ['--witness', witness]),
    ...(unseen === undefined ? [] : ['--unseen', unseen]),
    ...(context.lockFile === undefined ? [] : frozen(context)),
  ];
  return { text, command: commandLine(['verify', '--profile', context.profile, ...words], context) };
}

/** Stripe's record shows all of a key; where nobody can read it, deeper probes show more. */
function seeMore(context: FixContext): Fix {
  const { recordUnread, unseen, asked } = context;
  const byRecord = (text: string) => askAgain(context, text, { witness: 'both' });
  switch (recordUnread) {
    case 'not-asked':
    case 'other-server':
      return byRecord("Let Stripe's record of the key be read as well.");
    case 'no-secret-key':
    case 'other-mode':
    case 'refused':
    case 'not-found':
      return byRecord(
        "Set STRIPE_SECRET_KEY to a secret key of this key's account and mode, so that Stripe's record of it is read, then ask again.",
      );
    case 'id-unknown':
    case 'another-key':
      return makeKey(context, 'A key of which the id is then known here, and so its record,');
    case 'unreadable':
      return byRecord("When Stripe's record of the key can be read again, ask again.");
    default:
  }
  if (asked?.depth === 'checks' && unseen.some(({ reason }) => reason === 'not-asked')) {
    return askAgain(context, 'Probe at least one call for each permission.', { depth: 'permissions' });
  }
  return {
    text: unseen.some(({ reason }) => reason === 'no-account')
      ? 'No record of the key can be read here, and no command knows a connected account of yours: name one with --account, and the Connect side is asked with it.'
      : 'No record of the key can be read here, and no call tells, so that no command can show it: look at the key in the Dashboard.',
  };
}

/** Which of two witnesses is wrong: a row of the catalog can be settled by asking, a record only by Stripe. */
function settle({ operations, connect }: Omit<PermissionFinding, 'fix'>, context: FixContext): Fix {
  const found = context.contradictions.find(
    (one) => operations.includes(one.operation) && one.connect === connect,
  );
  if (found?.suspect === 'record') {
    return askAgain(
      context,
      "A record may be older than the key, so ask again in a minute; what then still stands no command mends, since the record is Stripe's.",
      { witness: 'both' },
    );
  }
  const why = whyNotCalibrated(context);
  if (why !== undefined) return { text: why };
  return {
    text: 'Ask which permission the call needs, with keys that hold nothing else; the answer is kept for later runs.',
    command: commandLine(['calibrate', '--bare-only', '--confirm'], context),
  };
}

function whyNotCalibrated({ target, flags }: FixContext): string | undefined {
  if (target === 'stripe-mock')
    return 'stripe-mock knows no permissions, so that no command calibrates anything here: ask on --target stripe.';
  return flags.includes('--live')
    ? 'Calibrating makes keys, so that no command does it with --live: run "keyaudit calibrate --bare-only --confirm --target stripe" there, with a test key.'
    : undefined;
}

/** Rotating makes a key that is as its profile says, and never a broader one than the old. */
function replaceKey(context: FixContext, what: string): Fix {
  const { made, profile } = context;
  if (made === undefined || made.keyApi === 'dashboard' || !context.isLasting) return makeKey(context, what);
  return {
    text: `${what} takes its place, and this one ends.${elsewhere(made.place, context)}`,
    command: `${commandLine(['rotate', profile, ...storeOf(made.place)], context)}${unset(context)}`,
  };
}

/** One that is there already stays until it is ended, which `provision` wants said; the first one has none beside it. */
function makeKey(context: FixContext, what: string, { isFirst = false } = {}): Fix {
  const { made, profile, place, defaultPlace } = context;
  const file = made?.place ?? (place === 'environment' || place === 'command' ? defaultPlace : place);
  const store = file === defaultPlace || file === '' ? [] : ['--store', `env-file:${file}`];
  const byHand = made?.keyApi === 'dashboard' ? ['--key-api', 'dashboard'] : [];
  const isForeign = file.startsWith('exec:') || file === 'stdout';
  const again = isFirst ? [] : ['--again'];
  const words = ['provision', profile, ...again, ...byHand, ...(isForeign ? storeOf(file) : store)];
  const end = isFirst ? '' : '; end the old one then';
  return {
    text: `${what} is made and stored${end}.${elsewhere(file, context)}`,
    command: `${commandLine(words, context)}${unset(context)}`,
  };
}

/** A command that a file names is never run, so its user says it anew. */
function storeOf(place: string): readonly string[] {
  if (place.startsWith('exec:')) return ['--store', '"$KEYAUDIT_STORE"'];
  return place === 'stdout' ? ['--store', 'stdout', '--reveal'] : [];
}

function elsewhere(stored: string, { place, variable }: FixContext): string {
  if (stored.startsWith('exec:')) return ' KEYAUDIT_STORE says where its secret goes (exec:COMMAND).';
  if (place === 'environment') return ` Then give it to whatever sets ${variable}.`;
  return place === 'command' ? ' Then put it where that command reads it.' : '';
}

/** A variable wins over what is stored, so the old key in it must go. */
function unset({ place, variable }: FixContext): string {
  return place === 'environment' ? ` && unset ${shellWord(variable)}` : '';
}

function ownKey(context: FixContext): Fix {
  return makeKey(
    { ...context, made: undefined },
    `This is ${context.madeFor}'s key: ${context.profile} needs its own, which`,
    { isFirst: true },
  );
}

/** The reason that is proposed: what is known, until somebody knows better. */
export function acceptanceReason(permission: string | null): string {
  return `Stripe grants it only together with ${permission}`;
}

function accept(context: FixContext, permission: string | null, operations: readonly string[]): Fix {
  if (!context.ownFile) {
    return {
      text: `This profile is not one of yours, so that no command writes to it: copy it to ./profiles, and accept ${operations.join(', ')} there by name with a reason, or ask for less.`,
    };
  }
  const reason = acceptanceReason(permission);
  return {
    text: 'Accept it by name with a reason of yours, or ask for less.',
    command: [
      'keyaudit profiles accept',
      ...[context.profile, ...operations].map(shellWord),
      '--reason',
      shellWord(reason),
      ...(context.acceptUntil === undefined ? [] : ['--until', context.acceptUntil]),
    ].join(' '),
  };
}

function relock(context: FixContext): Fix {
  const { lockFile, profile } = context;
  return {
    text: 'If it is meant, lock it anew, and commit what changed for review; if not, undo the change.',
    command: commandLine(['lock', profile, ...lockWords(lockFile)], context),
  };
}

/** Compared with the same lock file. */
function frozen({ lockFile }: FixContext): readonly string[] {
  return lockFile === undefined || lockFile === DEFAULT_LOCK ? ['--frozen'] : ['--lock', lockFile];
}

/** What names a lock file on a command line, where it is not the usual one. */
export function lockWords(lockFile: string | undefined): readonly string[] {
  return lockFile === undefined || lockFile === DEFAULT_LOCK ? [] : ['--lock', shellWord(lockFile)];
}

const DEFAULT_LOCK = 'keyaudit.lock.yaml';

function commandLine(words: readonly string[], { flags }: FixContext): string {
  return ['keyaudit', ...words, ...flags]
    .map((word) => (word === '"$KEYAUDIT_STORE"' ? word : shellWord(word)))
    .join(' ');
}

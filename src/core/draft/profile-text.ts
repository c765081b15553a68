import { stringify } from 'yaml';
import { type Catalog, isWrite, type Level, type OperationName } from '../catalog/catalog.ts';
import type { Grant } from '../grant/grant.ts';
import { defaultVariable } from '../profile/profile.ts';
import { formatAmount } from '../spend/amount.ts';
import type { Cap } from '../spend/cap.ts';

/** A line under `permissions`. */
export interface DraftPermission {
  /** A resource, or a raw permission. */
  readonly name: string;
  readonly level: Level;
  readonly why?: string | undefined;
  /** Said behind the line, for whoever reads the draft. */
  readonly comment?: string | undefined;
}

/** What a new profile is to say. */
export interface ProfileDraft {
  readonly name: string;
  readonly description?: string | undefined;
  /** By default made from the name. */
  readonly env?: string | undefined;
  /** Where the schema lies, as seen from the profile. */
  readonly schema?: string | undefined;
  /** Said above the profile, a line each. */
  readonly comments?: readonly string[] | undefined;
  readonly permissions: readonly DraftPermission[];
  readonly connectPermissions?: readonly DraftPermission[] | undefined;
  readonly allow?: readonly OperationName[] | undefined;
  readonly forbid?: readonly OperationName[] | undefined;
  /** Writes that come along and are taken knowingly. */
  readonly accept?: DraftAcceptance | undefined;
}

/** What a draft accepts, and why. */
export interface DraftAcceptance {
  readonly operations: readonly OperationName[];
  readonly reason: string;
}

/** The text of a profile, without what {@link acceptStub} adds: every draft of the program is written by this. */
export function profileText(draft: ProfileDraft): string {
  const { name, description, env, schema, comments = [], connectPermissions = [] } = draft;
  const head = {
    name,
    description,
    env: env ?? defaultVariable(name),
  };
  return [
    schema === undefined ? '' : `# yaml-language-server: $schema=${schema}\n`,
    ...comments.map((line) => `# ${line.replace(/\s+/g, ' ')}\n`),
    stringify(head, { lineWidth: 0 }),
    permissionBlock('permissions', draft.permissions),
    connectPermissions.length === 0 ? '' : permissionBlock('connect_permissions', connectPermissions),
    checks(draft.allow ?? [], draft.forbid ?? []),
    draft.accept === undefined ? '' : stringify({ accept: [draft.accept] }, { lineWidth: 0 }),
  ].join('');
}

function permissionBlock(key: string, entries: readonly DraftPermission[]): string {
  if (entries.length === 0) return `${key}: {} # every resource not named is none\n`;
  const lines = entries.map(({ name, level, why, comment }) => {
    const value = why === undefined ? level : stringify({ level, why }, FLOW).trimEnd();
    return `  ${name}: ${value}${comment === undefined ? '' : ` # ${comment}`}\n`;
  });
  return `${key}: # every resource not named is none\n${lines.join('')}`;
}

const FLOW = { lineWidth: 0, collectionStyle: 'flow' } as const;

function checks(allow: readonly string[], forbid: readonly string[]): string {
  const list = (key: string, comment: string, names: readonly string[]) =>
    names.length === 0 ? '' : `  ${key}: # ${comment}\n${names.map((name) => `    - ${name}\n`).join('')}`;
  const text = `${list('allow', 'calls that must work', allow)}${list('forbid', 'calls that must be refused', forbid)}`;
  return text === '' ? '' : `checks:\n${text}`;
}

/** As comments, a `guard` section for somebody to agree to. */
export function guardStub({
  caps,
  unpriced,
  open,
  only,
}: {
  readonly caps: readonly Cap[];
  readonly unpriced: { readonly calls: number; readonly of: readonly OperationName[] } | undefined;
  readonly open: readonly string[];
  /** What is let through, where that is less than what the profile asks for. */
  readonly only?: 'checks' | undefined;
}): string {
  const lines = caps.map(({ per, amounts, calls, of }) => {
    const texts = amounts.map(formatAmount);
    const amount = texts.length === 0 ? {} : { amount: texts.length === 1 ? texts[0] : texts };
    return `    - ${stringify({ per, ...amount, ...(calls === undefined ? {} : { calls }), of }, FLOW).trimEnd()}`;
  });
  const section = [
    'guard:',
    ...(only === undefined ? [] : [`  only: ${only} # the calls above, and no others`]),
    ...(lines.length === 0 ? [] : ['  caps:', ...lines]),
    ...(unpriced === undefined ? [] : [`  unpriced: ${stringify(unpriced, FLOW).trimEnd()}`]),
  ];
  return [
    'What moved in these runs, rounded up: a proposal for a guard. Take it in once somebody has agreed to it.',
    ...open,
    ...section,
  ]
    .map((line) => `# ${line}\n`)
    .join('');
}

/** As comments, the writes that come along and that somebody has to accept by name; empty where there are none. */
export function acceptStub(grant: Grant, catalog: Catalog): string {
  const writing = writesToAccept(grant, catalog);
  if (writing.length === 0) return '';
  return `# Stripe cannot separate these writes from what is asked for above. Ask for less, or accept them by name:
# accept:
#   - operations:
${writing.map((name) => `#       - ${name}\n`).join('')}#     reason: Say why that is acceptable
`;
}

/** The writes that come along and that nobody has accepted yet. */
export function writesToAccept({ widenings }: Grant, catalog: Catalog): readonly OperationName[] {
  return widenings.flatMap(({ operations, accepted }) =>
    operations.filter((name) => {
      const operation = catalog.operation(name);
      return !accepted && operation !== undefined && isWrite(operation);
    }),
  );
}

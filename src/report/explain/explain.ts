import {
  type ExplainedName,
  type ExplainedOperation,
  type ExplainedPermission,
  type ExplainedResource,
  levelText,
} from '../../core/grant/explain-name.ts';
import { someOf } from '../../core/some-of.ts';
import { counted, paintFor, type TextOutput, wrap } from '../text.ts';

/** What docs/errors.md says of an error code or a kind of finding. */
export interface ExplainedCode {
  readonly kind: 'code';
  readonly name: string;
  readonly paragraphs: readonly string[];
}

export type Explained = ExplainedName | ExplainedCode;

/** `explain --format json`, schema `keyaudit.explain/1`. */
export function explainJson(explained: Explained): unknown {
  return { schema: 'keyaudit.explain/1', ...explained };
}

/** What a name means, for a person. @param full whether lists are whole */
export function renderExplained(explained: Explained, output: TextOutput, full: boolean): void {
  const paint = paintFor(output);
  const line = (text: string) => output.write(wrap(text, output, { indent: '    ', first: '  ' }));
  const names = (all: readonly string[]) => (full ? all.join(', ') : someOf(all));
  const title = (what: string) => output.write(`${paint.bold(explained.name)} ${paint.dim(what)}\n`);
  switch (explained.kind) {
    case 'code':
      title('of docs/errors.md');
      for (const paragraph of explained.paragraphs) line(paragraph.replace(/`/g, ''));
      return;
    case 'resource':
      title('a resource');
      renderResource(explained, line, names);
      return;
    case 'permission':
      title('a permission');
      renderPermission(explained, line, names);
      return;
    case 'operation':
      title(`an operation: ${explained.endpoint}`);
      renderOperation(explained, line, names);
      return;
  }
}

type Line = (text: string) => void;
type Names = (all: readonly string[]) => string;

function renderResource({ operations, levels, unknown }: ExplainedResource, line: Line, names: Names): void {
  line(`${counted(operations.length, 'call')}: ${names(operations)}.`);
  for (const level of levels) line(`${levelText(level, names)}.`);
  if (levels.length === 0) line('No permission is known for it, so no restricted key is given it.');
  else if (unknown.length > 0) line(`No permission is known for ${names(unknown)}.`);
}

function renderPermission(
  { permission, risk, operations, implies, impliedBy }: ExplainedPermission,
  line: Line,
  names: Names,
): void {
  const { group, label, level, scope, managedApi, source, unconfirmed } = permission;
  line(`In the Dashboard: ${group} › ${label} › ${level}. In links: ${scope}.`);
  line(`At stake: ${risk.tier}. ${risk.why}`);
  line(
    operations.length === 0
      ? 'The catalog has no call for it.'
      : `${counted(operations.length, 'call')}: ${names(operations)}.`,
  );
  if (implies.length > 0) line(`Brings along: ${names(implies)}.`);
  if (impliedBy.length > 0) line(`Comes with: ${names(impliedBy)}.`);
  line(`Known from: ${source}.`);
  if (unconfirmed === 'name') line('No public source knows this name.');
  if (!managedApi) line('The managed key API is not known to take it; the Dashboard does.');
}

function renderOperation(
  { operation, remarks, risk, besides }: ExplainedOperation,
  line: Line,
  names: Names,
): void {
  const { permissions, provenance, source, resource } = operation;
  line(
    permissions.length === 0
      ? 'No permission is known for it: every restricted key is expected to be refused.'
      : `Needs ${permissions.join(' or ')} (${provenance}: ${source}).`,
  );
  line(`In a profile: "${resource}: ${operation.method === 'GET' ? 'read' : 'write'}".`);
  if (risk !== undefined) line(`At stake: ${risk.tier}. ${risk.why}`);
  if (besides.length > 0) line(`Whoever may call it may also call ${names(besides)}.`);
  for (const remark of remarks) line(remark);
}

import { resolve } from 'node:path';
import { acceptanceEdit, withInsertion } from '../core/draft/acceptance-edit.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { acceptedJson, renderAcceptedTable } from '../report/plan/accepted.ts';
import type { CommandContext } from '../session/context.ts';
import { resolveGrants } from '../session/profile-grant.ts';
import { printResult, requireFormat } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';
import { readTextFile } from '../store/files/read-text-file.ts';
import { writeResultFile } from '../store/result-file.ts';

export interface AcceptOptions {
  readonly profile: string;
  readonly operations: readonly string[];
  readonly reason: string;
  /** Last day on which it counts, YYYY-MM-DD. */
  readonly until?: string;
}

/** `keyaudit profiles accept`: writes into a profile of one's own that a widening is taken knowingly. */
export async function accept(options: AcceptOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  const session = await openSession(context);
  const { profile: name, operations, until } = options;
  const reason = options.reason.trim();
  if (reason === '') throw new KeyauditError('USAGE', 'An acceptance needs a reason.');
  if (until !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(until))
    throw new KeyauditError('USAGE', `"${until}" is no day.`, { hint: 'Write it as YYYY-MM-DD.' });
  const entry = await session.library.find(name);
  if (entry.origin !== 'own') {
    throw new KeyauditError('USAGE', `${entry.file} ships with keyaudit and is not written to.`, {
      hint: 'Copy it to ./profiles, where it wins, and accept it there.',
    });
  }
  const [grant] = await resolveGrants({ profiles: [name] }, session);
  const widened = new Set(
    grant?.grant.widenings.flatMap((widening) => (widening.accepted ? [] : widening.operations)) ?? [],
  );
  const wrong = operations.filter((operation) => !widened.has(operation));
  if (wrong.length > 0) {
    throw new KeyauditError(
      'USAGE',
      `${wrong.join(', ')}: nothing that ${name} brings along and does not accept yet.`,
      { hint: `"keyaudit plan ${name}" shows what there is to accept.` },
    );
  }
  const text = await readTextFile(resolve(session.cwd, entry.file));
  const edit = acceptanceEdit(text, { operations, reason, until });
  if (edit === undefined) {
    throw new KeyauditError('USAGE', `${entry.file} is written in a way that only its author can add to.`, {
      hint: `Add to "accept": { operations: [${operations.join(', ')}], reason: … }.`,
    });
  }
  await writeResultFile(session, entry.file, withInsertion(text, edit), 'input');
  const report = { profile: name, file: entry.file, line: edit.line, operations, reason, until };
  await printResult(session, {
    json: acceptedJson(report),
    table: (output) => renderAcceptedTable(report, output),
  });
  return EXIT.ok;
}

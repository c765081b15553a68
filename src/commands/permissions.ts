import { resolve } from 'node:path';
import { endpointOf } from '../core/catalog/catalog.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { smallestGrant } from '../core/grant/smallest-grant.ts';
import { permissionsJson, renderPermissionsTable } from '../report/permissions.ts';
import type { CommandContext } from '../session/context.ts';
import { printResult } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';
import { readTextFile } from '../store/files/read-text-file.ts';

export interface PermissionsOptions {
  readonly endpoints: readonly string[];
  /** A file with one call a line; `-` is standard input. */
  readonly file?: string;
  readonly all?: boolean;
}

/**
 * `keyaudit permissions "GET /v1/charges"…`: the smallest grant for these calls. Calls come from the
 * arguments, a file, or standard input; exit 2 when one of them is not resolved.
 */
export async function permissions(options: PermissionsOptions, context: CommandContext): Promise<ExitCode> {
  const session = await openSession(context);
  // Hints are told with their provenance; nothing is granted by them.
  const { namedCatalog: catalog } = session;
  const texts = options.all === true ? catalog.operations.map(endpointOf) : await gather(options, context);
  const expansions = texts.some((text) => text.includes('?'))
    ? new (await import('../core/catalog/expansion.ts')).Expansions(catalog)
    : undefined;
  const grant = smallestGrant(texts, catalog, expansions);
  const full = context.globals.verbose || options.all === true;
  await printResult(session, {
    json: permissionsJson(grant),
    table: (output) => renderPermissionsTable(grant, catalog, output, { full }),
  });
  return grant.unresolved.length === 0 || options.all === true ? EXIT.ok : EXIT.usage;
}

async function gather(options: PermissionsOptions, context: CommandContext): Promise<readonly string[]> {
  const texts = [...options.endpoints];
  if (options.file !== undefined && options.file !== '-') {
    const text = await readTextFile(resolve(context.cwd, options.file)).catch((cause: unknown) => {
      throw new KeyauditError('FILE_UNREADABLE', `${options.file} cannot be read.`, { cause });
    });
    texts.push(...linesOf(text));
  }
  if (
    options.file === '-' ||
    (texts.length === 0 && options.file === undefined && !context.stdin.isTerminal)
  ) {
    texts.push(...linesOf(await context.stdin.readText()));
  }
  if (texts.length === 0) {
    throw new KeyauditError('USAGE', 'No endpoint or operation named.', {
      hint: 'Name some: keyaudit permissions "GET /v1/charges" refunds.create, or say --all.',
    });
  }
  return texts;
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

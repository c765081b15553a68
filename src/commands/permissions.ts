import { resolve } from 'node:path';
import { endpointOf } from '../core/catalog/catalog.ts';
import { profileOfCalls } from '../core/draft/profile-of-calls.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { type SmallestGrant, smallestGrant } from '../core/grant/smallest-grant.ts';
import { requireProfileName } from '../core/profile/profile-name.ts';
import { permissionsJson, renderPermissionsTable } from '../report/permissions.ts';
import { wrap } from '../report/text.ts';
import { type CommandContext, today } from '../session/context.ts';
import { printResult, requireFormat, withResultOutput } from '../session/result-output.ts';
import { openSession } from '../session/session.ts';
import { readTextFile } from '../store/files/read-text-file.ts';

export interface PermissionsOptions {
  readonly endpoints: readonly string[];
  /** A file with one call a line; `-` is standard input. */
  readonly file?: string;
  readonly all?: boolean;
  /** Of the profile, for that format. */
  readonly name?: string;
}

/**
 * `keyaudit permissions "GET /v1/charges"…`: the smallest grant for these calls. Calls come from the
 * arguments, a file, or standard input; exit 2 when one of them is not resolved.
 */
export async function permissions(options: PermissionsOptions, context: CommandContext): Promise<ExitCode> {
  const name = options.name ?? 'my-agent';
  requireProfileName(name);
  const session = await openSession(context);
  // Hints are told with their provenance; nothing is granted by them.
  const { namedCatalog: catalog } = session;
  const texts = options.all === true ? catalog.operations.map(endpointOf) : await gather(options, context);
  const expansions = texts.some((text) => text.includes('?'))
    ? new (await import('../core/catalog/expansion.ts')).Expansions(catalog, session.beyondSdk)
    : undefined;
  const older =
    options.all === true
      ? undefined
      : new (await import('../core/grant/older-api.ts')).OlderApi(catalog, session.beyondSdk);
  const grant = smallestGrant(texts, catalog, expansions, older);
  const { globals } = context;
  if (globals.format === 'profile') {
    requireSomething(grant);
    const text = profileOfCalls(grant, catalog, { name, today: today(session) });
    await withResultOutput(session, (output) => output.write(text));
    for (const { endpoint, reason } of grant.unresolved) {
      context.stderr.write(
        wrap(`${endpoint}: ${reason}`, context.stderr, { first: 'warning: ', indent: '  ' }),
      );
    }
  } else {
    requireFormat(globals.format, ['table', 'json', 'profile']);
    await printResult(session, {
      json: permissionsJson(grant),
      table: (output) =>
        renderPermissionsTable(grant, catalog, output, { full: globals.verbose || options.all === true }),
    });
  }
  return grant.unresolved.length === 0 || options.all === true ? EXIT.ok : EXIT.usage;
}

/** @throws KeyauditError `PROFILE_EMPTY` */
function requireSomething({ permissions: found, unresolved }: SmallestGrant): void {
  if (found.length > 0) return;
  throw new KeyauditError('PROFILE_EMPTY', 'None of these calls needs a permission that is known.', {
    problems: unresolved.map(({ endpoint, reason }) => ({ message: `${endpoint}: ${reason}` })),
  });
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

import { basename, resolve } from 'node:path';
import type { PermissionName } from '../core/catalog/catalog.ts';
import type { ImportFormatName } from '../core/draft/runs/import-format.ts';
import { toolsByGrant } from '../core/draft/tools-by-grant.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { requireProfileName } from '../core/profile/profile-name.ts';
import { formatOf, importFormats } from '../record/import/formats.ts';
import { importedRuns } from '../record/import/imported-runs.ts';
import { importedJson, importedSummary } from '../report/record/record.ts';
import type { CommandContext } from '../session/context.ts';
import { resolveGrants } from '../session/profile-grant.ts';
import { printResult } from '../session/result-output.ts';
import { openSession, type Session } from '../session/session.ts';
import { readTextFile } from '../store/files/read-text-file.ts';
import { writeRun } from '../store/run-files.ts';

export interface RecordImportOptions {
  /** `-` is standard input. */
  readonly file: string;
  readonly name: string;
  /** By default told by the content. */
  readonly from?: ImportFormatName;
  /** Hosts that count as Stripe's besides its own. */
  readonly host: readonly string[];
  /** Of an MCP server's tools, says which are shown to a key of this profile. */
  readonly profile?: string;
}

/** `keyaudit record import FILE`: makes run files of what another program wrote down. Exit 3 where it holds no call. */
export async function recordImport(options: RecordImportOptions, context: CommandContext): Promise<ExitCode> {
  const { file, name, host } = options;
  requireProfileName(name);
  const session = await openSession(context);
  const text = await textOf(file, context);
  const from = options.from ?? formatOf(text);
  if (from === undefined) {
    throw new KeyauditError('IMPORT_UNKNOWN', `${shown(file)} is of no format that is known here.`, {
      hint: `Say which with --from: ${Object.keys(importFormats).join(', ')}.`,
    });
  }
  const granted = options.profile === undefined ? undefined : await grantOf(options.profile, from, session);
  const imported = importFormats[from].read(text, { catalog: session.catalog, hosts: host });
  const runs = importedRuns(imported, { name, from, catalog: session.catalog, now: session.now() });
  const files: string[] = [];
  for (const run of runs) files.push(await writeRun(context.cwd, run));
  const report = {
    name,
    from,
    source: shown(file),
    imported,
    runs,
    files,
    profile: options.profile,
    tools: 'tools' in imported ? toolsByGrant(imported.tools, granted, session.catalog) : undefined,
  };
  await printResult(session, {
    json: importedJson(report),
    table: (output) => importedSummary(report, output, context.globals),
  });
  if (runs.length > 0) return EXIT.ok;
  throw new KeyauditError('IMPORT_NOTHING', `${shown(file)} holds no call to Stripe that could be read.`, {
    hint: 'Every line that was left out is shown above.',
    exitCode: EXIT.undetermined,
  });
}

/** @throws KeyauditError `USAGE` where the file holds no tools */
async function grantOf(
  profile: string,
  from: ImportFormatName,
  session: Session,
): Promise<readonly PermissionName[]> {
  if (from !== 'mcp-tools') {
    throw new KeyauditError('USAGE', `--profile is for the tools of an MCP server, and this is ${from}.`, {
      hint: 'Leave --profile out; "keyaudit diff PROFILE FILE" compares the profile that comes of it.',
    });
  }
  const found = await resolveGrants({ profiles: [profile] }, session);
  return found.flatMap(({ grant }) => grant.permissions);
}

async function textOf(file: string, { cwd, stdin }: CommandContext): Promise<string> {
  if (file === '-') return stdin.readText();
  return readTextFile(resolve(cwd, file)).catch((cause: unknown) => {
    throw new KeyauditError('FILE_UNREADABLE', `${file} cannot be read.`, { cause });
  });
}

function shown(file: string): string {
  return file === '-' ? 'Standard input' : basename(file);
}

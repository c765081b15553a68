import { basename, resolve } from 'node:path';
import type { ImportFormatName } from '../core/draft/runs/import-format.ts';
import { knownWords } from '../core/draft/runs/known-words.ts';
import { type RecordedRun, RUN_SCHEMA, RunRecorder } from '../core/draft/runs/recorded-run.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { requireProfileName } from '../core/profile/profile-name.ts';
import { formatOf, importFormats } from '../record/import/formats.ts';
import type { Imported, ImportedCall } from '../record/import/import-format.ts';
import { importedJson, importedSummary } from '../report/record/record.ts';
import { counted } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
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
  const imported = importFormats[from].read(text, { catalog: session.catalog, hosts: host });
  const runs = imported.calls.length === 0 ? [] : runsIn(imported, name, from, session);
  const files: string[] = [];
  for (const run of runs) files.push(await writeRun(context.cwd, run));
  const report = { name, from, source: shown(file), imported, runs, files };
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

async function textOf(file: string, { cwd, stdin }: CommandContext): Promise<string> {
  if (file === '-') return stdin.readText();
  return readTextFile(resolve(cwd, file)).catch((cause: unknown) => {
    throw new KeyauditError('FILE_UNREADABLE', `${file} cannot be read.`, { cause });
  });
}

function shown(file: string): string {
  return file === '-' ? 'Standard input' : basename(file);
}

/** One run, or one for each that the file tells apart. */
function runsIn(imported: Imported, name: string, from: string, { catalog, now }: Session): RecordedRun[] {
  const words = knownWords(catalog);
  const groups = new Map<string, ImportedCall[]>();
  for (const call of imported.calls) {
    const group = groups.get(call.run ?? '');
    if (group === undefined) groups.set(call.run ?? '', [call]);
    else group.push(call);
  }
  return [...groups.values()].map((calls) => {
    const recorder = new RunRecorder(catalog, words);
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const call of calls) {
      recorder.note(call);
      if (call.time === undefined) continue;
      first = Math.min(first, call.time);
      last = Math.max(last, call.time);
    }
    const today = now().getTime();
    const at = (time: number) => new Date(isDate(time) ? time : today).toISOString();
    return {
      schema: RUN_SCHEMA,
      name,
      startedAt: at(first),
      endedAt: at(last),
      catalog: catalog.source,
      seenBy: [from],
      unseen: [
        ...imported.unseen,
        ...(imported.unread.length === 0
          ? []
          : [
              `${counted(imported.unread.length, 'line or entry', 'lines or entries')} of what was imported could not be read.`,
            ]),
      ],
      calls: recorder.calls,
    };
  });
}

/** What a date can hold; a log could say anything. */
function isDate(time: number): boolean {
  return Math.abs(time) <= 8.64e15 && new Date(time).getUTCFullYear() < 10_000 && time >= 0;
}

import { basename } from 'node:path';
import { inspectKey } from '../audit/inspect-key.ts';
import { madeElsewhere } from '../audit/made-elsewhere.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { exitCodeOfInspection, type InspectReport } from '../core/inspect/inspect-report.ts';
import type { Witness } from '../core/probe/witness.ts';
import { requireProfileName } from '../core/profile/profile-name.ts';
import { SecretKey } from '../core/secret-key.ts';
import { inspectedProfile, inspectJson, renderInspectTable } from '../report/inspect.ts';
import { counted, wrap } from '../report/text.ts';
import { writeJson } from '../report/verify/json.ts';
import type { CommandContext } from '../session/context.ts';
import { requireFormat, withResultOutput } from '../session/result-output.ts';
import { openSession, withTarget } from '../session/session.ts';
import { requireRestricted } from '../store/find-key.ts';
import { requireWritable, writeResultFile } from '../store/result-file.ts';

export interface InspectOptions {
  /** The variable that holds the key; without it standard input does. */
  readonly keyEnv?: string;
  /** Where a profile for the key goes as well. */
  readonly profileOutput?: string;
  /** Of that profile. */
  readonly name?: string;
  /** Probes a second. */
  readonly rate?: number;
  /** Who is asked (default `auto`). */
  readonly witness?: Witness;
}

/** `keyaudit inspect`: what can this key do? Needs no profile, and writes one. */
export async function inspect(options: InspectOptions, context: CommandContext): Promise<ExitCode> {
  const { globals, stderr } = context;
  requireFormat(globals.format, ['table', 'json', 'profile']);
  const name = options.name ?? nameFrom(options.profileOutput) ?? 'inspected-key';
  requireProfileName(name);
  const kind = globals.format === 'profile' ? 'input' : 'report';
  if (options.profileOutput !== undefined) await requireWritable(context, options.profileOutput, 'input');
  if (globals.output !== undefined) await requireWritable(context, globals.output, kind);
  const found = await readKey(options, context);
  requireRestricted(
    found.key,
    found.place.replace(/^./, (first) => first.toUpperCase()),
    globals.live,
  );
  return withTarget(await openSession(context), async (session) => {
    const elsewhere = await madeElsewhere(
      { ...found, variable: options.keyEnv ?? 'Standard input', place: 'environment' },
      session,
    );
    if (elsewhere !== undefined) throw elsewhere;
    const report = await inspectKey(found, options, session);
    const exitCode = exitCodeOfInspection(report);
    const profile = inspectedProfile(report, name, session.catalog, session.now());
    await withResultOutput(
      session,
      (output) => {
        switch (globals.format) {
          case 'json':
            return writeJson(inspectJson(report, name, session.catalog), output.write);
          case 'profile':
            return output.write(profile);
          default:
            return renderInspectTable(report, output, globals);
        }
      },
      kind,
    );
    if (globals.format === 'profile' && exitCode !== EXIT.ok) warnIncomplete(report, session);
    if (options.profileOutput !== undefined) {
      await writeResultFile(session, options.profileOutput, profile, 'input');
      if (!globals.quiet) stderr.write(`Wrote a profile for this key to ${options.profileOutput}.\n`);
    }
    return exitCode;
  });
}

async function readKey(
  { keyEnv }: InspectOptions,
  { env, stdin }: CommandContext,
): Promise<{ readonly key: SecretKey; readonly place: string }> {
  if (keyEnv !== undefined) {
    const text = env[keyEnv] ?? '';
    if (text.trim() === '') {
      throw new KeyauditError('KEY_MISSING', `The variable ${keyEnv} is not set.`, {
        hint: `Set ${keyEnv} to the key, or pass the key on standard input.`,
        exitCode: EXIT.undetermined,
      });
    }
    return { key: SecretKey.ofVariable(keyEnv, text), place: `the variable ${keyEnv}` };
  }
  const text = stdin.isTerminal ? await stdin.readSecret('Key to inspect: ') : await stdin.readText();
  if (text.trim() === '') {
    throw new KeyauditError('KEY_MISSING', 'Standard input holds no key.', {
      hint: 'Name a variable with --key-env, or pass the key on standard input.',
    });
  }
  return { key: SecretKey.of(text, 'Standard input'), place: 'standard input' };
}

function warnIncomplete({ stopped, inconclusive }: InspectReport, { stderr }: CommandContext): void {
  const lines = [
    ...(stopped === undefined ? [] : [stopped.message]),
    ...inconclusive.map(({ message, count }) => `${counted(count, 'probe')}: ${message}`),
  ];
  for (const line of lines) stderr.write(wrap(line, stderr, { indent: '  ', first: 'warning: ' }));
}

function nameFrom(file: string | undefined): string | undefined {
  return file === undefined ? undefined : basename(file).replace(/\.ya?ml$/i, '');
}

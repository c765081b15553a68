import { basename } from 'node:path';
import { stringify } from 'yaml';
import { stoppedText } from '../audit/probe-key.ts';
import type { Catalog } from '../core/catalog/catalog.ts';
import { profileFor } from '../core/draft/profile-for-permissions.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { inferPermissions, planInspection } from '../core/inspect/infer-permissions.ts';
import { exitCodeOfInspection, type InspectReport, permissionsOf } from '../core/inspect/inspect-report.ts';
import type { Probe } from '../core/probe/probe.ts';
import { requireProfileName } from '../core/profile/profile-name.ts';
import { SecretKey } from '../core/secret-key.ts';
import { renderInspectTable } from '../report/inspect-table.ts';
import { counted, wrap } from '../report/text.ts';
import { writeJson } from '../report/verify/json.ts';
import type { CommandContext } from '../session/context.ts';
import { loadCatalog } from '../session/load-catalog.ts';
import { makeProbes } from '../session/probe-maker.ts';
import { startProgress } from '../session/progress.ts';
import { requireFormat, withResultOutput } from '../session/result-output.ts';
import { requireRestricted } from '../store/find-key.ts';
import { fingerprintOf } from '../store/key-records.ts';
import { requireWritable, writeResultFile } from '../store/result-file.ts';
import { defaultRate, type SendOutcome, sendProbes } from '../stripe/send-probes.ts';
import { openTarget } from '../targets/open-target.ts';

export interface InspectOptions {
  /** The variable that holds the key; without it standard input does. */
  readonly keyEnv?: string;
  /** Where a profile for the key goes as well. */
  readonly profileOutput?: string;
  /** Of that profile. */
  readonly name?: string;
  /** Probes a second. */
  readonly rate?: number;
}

/** `keyaudit inspect`: what can this key do? Needs no profile, and writes one. */
export async function inspect(options: InspectOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json', 'profile']);
  const name = options.name ?? nameFrom(options.profileOutput) ?? 'inspected-key';
  requireProfileName(name);
  for (const file of [options.profileOutput, context.globals.output]) {
    if (file !== undefined) await requireWritable(context.cwd, file);
  }
  const { key, place } = await readKey(options, context);
  requireRestricted(
    key,
    place.replace(/^./, (first) => first.toUpperCase()),
    context.globals.live,
  );
  const catalog = loadCatalog();
  const probeFor = makeProbes();
  const probes = planInspection(catalog, probeFor).map(probeFor);
  const target = await openTarget(context);
  try {
    const rate = options.rate ?? defaultRate(context.globals.target, key.mode);
    if (key.mode === 'live') announce(probes, target.apiBase, rate, context);
    const progress = await startProgress(context, `inspect: ${probes.length} probes`);
    const outcome = await sendProbes(probes, {
      key,
      target: context.globals.target,
      apiBase: target.apiBase,
      apiVersion: catalog.apiVersion,
      ...(rate === undefined ? {} : { ratePerSecond: rate }),
      signal: context.signal,
      onProgress: progress.update,
    }).finally(progress.stop);
    const report = reportOf(outcome, probes.length, {
      target: context.globals.target,
      apiBase: target.apiBase,
      targetNote: target.note,
      key: { mode: key.mode ?? null, fingerprint: fingerprintOf(key), place },
      catalog,
    });
    const exitCode = exitCodeOfInspection(report);
    const profile = profileText(report, name, catalog, context);
    await withResultOutput(context, (output) => {
      switch (context.globals.format) {
        case 'json':
          return writeJson(inspectJson(report, name, catalog), output.write);
        case 'profile':
          return output.write(profile);
        default:
          return renderInspectTable(report, output, context.globals);
      }
    });
    if (context.globals.format === 'profile' && exitCode !== EXIT.ok) warnIncomplete(report, context);
    if (options.profileOutput !== undefined) {
      await writeResultFile(context.cwd, options.profileOutput, profile);
      if (!context.globals.quiet)
        context.stderr.write(`Wrote a profile for this key to ${options.profileOutput}.\n`);
    }
    return exitCode;
  } finally {
    await target.close();
  }
}

async function readKey(
  { keyEnv }: InspectOptions,
  { env, stdin }: CommandContext,
): Promise<{ readonly key: SecretKey; readonly place: string }> {
  if (keyEnv !== undefined) {
    const text = env[keyEnv]?.trim() ?? '';
    if (text === '') {
      throw new KeyauditError('KEY_MISSING', `The variable ${keyEnv} is not set.`, {
        hint: `Set ${keyEnv} to the key, or pass the key on standard input.`,
        exitCode: EXIT.undetermined,
      });
    }
    return { key: SecretKey.of(text), place: `the variable ${keyEnv}` };
  }
  const text = stdin.isTerminal ? await stdin.readSecret('Key to inspect: ') : await stdin.readText();
  if (text.trim() === '') {
    throw new KeyauditError('KEY_MISSING', 'Standard input holds no key.', {
      hint: 'Name a variable with --key-env, or pass the key on standard input.',
    });
  }
  return { key: SecretKey.of(text), place: 'standard input' };
}

/** A live account's owner sees what will be asked before it is. */
function announce(
  probes: readonly Probe[],
  apiBase: string,
  rate: number | undefined,
  { stderr }: CommandContext,
): void {
  const pace = rate === undefined ? '' : ` at ${rate} a second`;
  const text = `${counted(probes.length, 'request')} to ${apiBase}${pace}, each of which can change nothing:`;
  stderr.write(wrap(text, stderr));
  for (const { operation, path } of probes) stderr.write(`  ${operation.method} ${path}\n`);
}

type Facts = Pick<InspectReport, 'target' | 'apiBase' | 'targetNote' | 'key'> & { readonly catalog: Catalog };

function reportOf(outcome: SendOutcome, probes: number, { catalog, ...facts }: Facts): InspectReport {
  const shown = outcome.results.map(({ probe, verdict }) => ({ operation: probe.operation, verdict }));
  const stopped = stoppedText(outcome);
  const untold = new Map<string, { reason: string; message: string; count: number }>();
  for (const { verdict } of shown) {
    if (verdict.kind !== 'inconclusive' || verdict.message === stopped?.message) continue;
    const { reason = 'unknown', message } = verdict;
    const known = untold.get(message);
    untold.set(message, { reason, message, count: (known?.count ?? 0) + 1 });
  }
  return {
    ...facts,
    catalog: catalog.source,
    apiVersion: catalog.apiVersion,
    inference: inferPermissions(catalog, shown),
    answered: shown.filter(({ verdict }) => verdict.kind !== 'inconclusive').length,
    probes,
    requests: outcome.requests,
    untold: [...untold.values()].sort((a, b) => b.count - a.count),
    ...(stopped === undefined ? {} : { stopped }),
  };
}

/** `inspect --format json`, schema `keyaudit.inspect/1`. */
function inspectJson(report: InspectReport, name: string, catalog: Catalog): unknown {
  const { inference, key, target, apiBase, targetNote, apiVersion } = report;
  const held = namesOf(report, 'held');
  return {
    schema: 'keyaudit.inspect/1',
    ok: exitCodeOfInspection(report) === EXIT.ok,
    target,
    apiBase,
    targetNote,
    catalog: report.catalog,
    apiVersion,
    key,
    permissions: held,
    inconclusive: namesOf(report, 'undetermined'),
    requests: report.requests,
    probes: report.probes,
    answered: report.answered,
    details: inference.permissions,
    contradictions: inference.contradictions,
    untold: report.untold,
    profile: profileFor(held, catalog, name),
    ...(report.stopped === undefined ? {} : { stopped: report.stopped }),
  };
}

function namesOf(report: InspectReport, state: 'held' | 'undetermined'): string[] {
  return permissionsOf(report, state).map((one) => one.permission);
}

/** The profile as a file that `verify` takes as it is. */
function profileText(report: InspectReport, name: string, catalog: Catalog, context: CommandContext): string {
  const { key, stopped } = report;
  const untold = permissionsOf(report, 'undetermined').filter(({ reason }) => reason !== 'no-operation');
  const comments = [
    `All that a ${key.mode ?? 'Stripe'} key (${key.fingerprint}) was found to do on ${context.now().toISOString().slice(0, 10)}.`,
    'Take away what its agent does not need, then make a new key from what is left.',
    ...(stopped === undefined ? [] : [`Partial: ${stopped.message}`]),
    ...(untold.length === 0
      ? []
      : [`Could not be told: ${untold.map(({ permission }) => permission).join(', ')}.`]),
  ];
  const document = profileFor(namesOf(report, 'held'), catalog, name);
  return `${comments.map((line) => `# ${line}\n`).join('')}${stringify(document)}`;
}

function warnIncomplete({ stopped, untold }: InspectReport, { stderr }: CommandContext): void {
  const lines = [
    ...(stopped === undefined ? [] : [stopped.message]),
    ...untold.map(({ message, count }) => `${counted(count, 'probe')}: ${message}`),
  ];
  for (const line of lines) stderr.write(wrap(line, stderr, { indent: '  ', first: 'warning: ' }));
}

function nameFrom(file: string | undefined): string | undefined {
  return file === undefined ? undefined : basename(file).replace(/\.ya?ml$/i, '');
}

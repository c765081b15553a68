import type { Catalog } from '../core/catalog/catalog.ts';
import { profileFor } from '../core/draft/profile-for-permissions.ts';
import { profileText } from '../core/draft/profile-text.ts';
import { EXIT } from '../core/error.ts';
import type { InferredPermission, UndeterminedReason } from '../core/inspect/infer-permissions.ts';
import { exitCodeOfInspection, type InspectReport, permissionsOf } from '../core/inspect/inspect-report.ts';
import { someOf } from '../core/some-of.ts';
import { unseenSentences } from '../core/verdict/unseen.ts';
import { counted, paintFor, type TextOutput, wrap } from './text.ts';
import { EVIDENCE_WORDS } from './verify/words/evidence-words.ts';

/** `inspect --format json`, schema `keyaudit.inspect/1`. */
export function inspectJson(report: InspectReport, name: string, catalog: Catalog): unknown {
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
    unseen: report.unseen,
    witnesses: { probes: { asked: report.probes, connect: report.connect }, record: report.record },
    requests: report.requests,
    probes: report.probes,
    answered: report.answered,
    details: inference.permissions,
    contradictions: inference.contradictions,
    untold: report.inconclusive,
    profile: profileFor(held, catalog, name),
    stopped: report.stopped,
  };
}

function namesOf(report: InspectReport, state: 'held' | 'undetermined'): string[] {
  return permissionsOf(report, state).map((one) => one.permission);
}

/** The profile as a file that `verify` takes as it is. */
export function inspectedProfile(report: InspectReport, name: string, catalog: Catalog, now: Date): string {
  const { key, stopped } = report;
  const undetermined = permissionsOf(report, 'undetermined').filter(
    ({ reason }) => reason !== 'no-operation',
  );
  const comments = [
    `All that a ${key.mode ?? 'Stripe'} key (${key.fingerprint}) was found to do on ${now.toISOString().slice(0, 10)}.`,
    'Take away what its agent does not need, then make a new key from what is left.',
    ...(stopped === undefined ? [] : [`Partial: ${stopped.message}`]),
    ...(undetermined.length === 0
      ? []
      : [`Could not be told: ${undetermined.map(({ permission }) => permission).join(', ')}.`]),
    ...unseenSentences(report.unseen),
  ];
  const { permissions = {} } = profileFor(namesOf(report, 'held'), catalog, name);
  return profileText({
    name,
    comments,
    permissions: Object.entries(permissions).map(([resource, entry]) => ({
      name: resource,
      level: typeof entry === 'string' ? entry : entry.level,
    })),
  });
}

/** `inspect --format table`. */
export function renderInspectTable(
  report: InspectReport,
  output: TextOutput,
  { verbose }: { verbose: boolean },
): void {
  const paint = paintFor(output);
  const about = `${report.targetNote} Catalog ${report.catalog}, API version ${report.apiVersion}.`;
  output.write(paint.dim(wrap(about, output)));
  const { mode, fingerprint, place } = report.key;
  output.write(`\n${paint.bold(`${mode ?? 'unknown'} key`)} ${paint.dim(`from ${place}, ${fingerprint}`)}\n`);

  const held = permissionsOf(report, 'held');
  output.write(`\n${paint.bold(`Holds ${counted(held.length, 'permission')}`)}\n`);
  for (const one of held) {
    output.write(wrap(`${one.permission}  ${howKnown(one)}`, output, { indent: '      ', first: '  ' }));
  }
  const absent = permissionsOf(report, 'absent');
  output.write(`\n${paint.bold(`Lacks ${counted(absent.length, 'permission')}`)}\n`);
  if (verbose) {
    for (const one of absent) {
      output.write(wrap(`${one.permission}  ${howKnown(one)}`, output, { indent: '      ', first: '  ' }));
    }
  }
  const undetermined = permissionsOf(report, 'undetermined');
  if (undetermined.length > 0) {
    output.write(`\n${paint.bold(`Could not tell of ${counted(undetermined.length, 'permission')}`)}\n`);
    for (const reason of Object.keys(reasons) as UndeterminedReason[]) {
      const names = undetermined.filter((one) => one.reason === reason).map((one) => one.permission);
      if (names.length === 0) continue;
      const text = `${reasons[reason]}: ${verbose ? names.join(', ') : someOf(names)}.`;
      output.write(wrap(text, output, { indent: '    ', first: '  ' }));
    }
  }
  for (const { operation, message } of report.inference.contradictions) {
    output.write(
      paint.yellow(wrap(`${operation}: ${message}`, output, { indent: '    ', first: '  note: ' })),
    );
  }
  renderWitnesses(report, output);
  output.write('\n');
  for (const { message, count } of report.inconclusive) {
    output.write(
      paint.yellow(wrap(`${counted(count, 'probe')}: ${message}`, output, { indent: '    ', first: '  ' })),
    );
  }
  if (report.stopped !== undefined) {
    output.write(paint.yellow(wrap(`Stopped: ${report.stopped.message}`, output, { indent: '  ' })));
    if (report.stopped.hint !== undefined) {
      output.write(wrap(`→ ${report.stopped.hint}`, output, { indent: '    ', first: '  ' }));
    }
  }
  const partial = report.stopped === undefined ? '' : ' (partial)';
  output.write(
    `${counted(report.requests, 'request')}, ${report.answered} of ${counted(report.probes, 'probe')} told${partial}\n`,
  );
}

/** The Connect side, Stripe's record, and what neither showed. */
function renderWitnesses({ connect, record, unseen }: InspectReport, output: TextOutput): void {
  const paint = paintFor(output);
  const names = record.read ? record.connectPermissions : [];
  const side =
    names.length > 0 ? `With Stripe-Account, by its record: ${names.join(', ')}.` : CONNECT_TEXT[connect];
  output.write(`\n${wrap(side, output)}`);
  for (const sentence of unseenSentences(unseen))
    output.write(paint.dim(wrap(sentence, output, { indent: '    ', first: '  ' })));
  const said = record.read ? `Stripe's record of the key was read as well (${record.id}).` : record.message;
  output.write(paint.dim(wrap(said, output)));
}

const CONNECT_TEXT: Readonly<Record<InspectReport['connect'], string>> = {
  none: 'It has no Connect permissions.',
  some: 'It has Connect permissions; which ones no call here shows.',
  'no-platform': 'Its account is no Connect platform.',
  unknown: 'Nothing is known of its Connect permissions.',
  'not-asked': 'Nothing is known of its Connect permissions.',
};

/** `strong, documented: charges.list` or `strong, documented: comes with charge_write`. */
function howKnown({ evidence, provenance, operations, by, state }: InferredPermission): string {
  if (evidence === 'record') return "(by Stripe's record of the key)";
  const source =
    by === undefined
      ? someOf(operations)
      : state === 'held'
        ? `comes with ${by}`
        : `would bring ${by}, which is absent`;
  return `(${EVIDENCE_WORDS[evidence]}, ${provenance}: ${source})`;
}

const reasons: Readonly<Record<UndeterminedReason, string>> = {
  inconclusive: 'The answers did not tell',
  'not-asked': 'Not asked',
  contradiction: 'The answers contradict each other',
  covered: 'All that it allows is allowed by other permissions of this key as well',
  'no-operation': 'No known call needs it',
};

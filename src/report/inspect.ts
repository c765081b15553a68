import { stringify } from 'yaml';
import type { Catalog } from '../core/catalog/catalog.ts';
import { profileFor } from '../core/draft/profile-for-permissions.ts';
import { EXIT } from '../core/error.ts';
import { exitCodeOfInspection, type InspectReport, permissionsOf } from '../core/inspect/inspect-report.ts';

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
    requests: report.requests,
    probes: report.probes,
    answered: report.answered,
    details: inference.permissions,
    contradictions: inference.contradictions,
    untold: report.untold,
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
  const untold = permissionsOf(report, 'undetermined').filter(({ reason }) => reason !== 'no-operation');
  const comments = [
    `All that a ${key.mode ?? 'Stripe'} key (${key.fingerprint}) was found to do on ${now.toISOString().slice(0, 10)}.`,
    'Take away what its agent does not need, then make a new key from what is left.',
    ...(stopped === undefined ? [] : [`Partial: ${stopped.message}`]),
    ...(untold.length === 0
      ? []
      : [`Could not be told: ${untold.map(({ permission }) => permission).join(', ')}.`]),
  ];
  const document = profileFor(namesOf(report, 'held'), catalog, name);
  return `${comments.map((line) => `# ${line}\n`).join('')}${stringify(document)}`;
}

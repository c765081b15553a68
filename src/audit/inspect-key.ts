import type { Operation } from '../core/catalog/catalog.ts';
import { inferPermissions, planInspection } from '../core/inspect/infer-permissions.ts';
import { type InspectReport, isUnanswered } from '../core/inspect/inspect-report.ts';
import { settleByRecord } from '../core/inspect/settle-by-record.ts';
import { unseenByInspection } from '../core/inspect/unseen-by-inspection.ts';
import type { Probe } from '../core/probe/probe.ts';
import { unansweredBy } from '../core/probe/unanswered.ts';
import type { Witness } from '../core/probe/witness.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { readConnectState } from '../core/verdict/connect-state.ts';
import { isQuiet } from '../core/verdict/unseen.ts';
import { counted, wrap } from '../report/text.ts';
import { startProgress } from '../session/progress.ts';
import type { OpenSession } from '../session/session.ts';
import { fingerprintOf } from '../store/notes/key-records.ts';
import { defaultRate, type SendOutcome, sendProbes } from '../stripe/send-probes.ts';
import { connectCheck } from './connect-check.ts';
import { noteRefusals } from './note-refusals.ts';
import { KeyRecordReader } from './read-key-record.ts';
import { stoppedText } from './stopped-text.ts';

/** Probes a key of which nothing is known, and says which permissions it holds. @param rate probes a second */
export async function inspectKey(
  { key, place }: { readonly key: SecretKey; readonly place: string },
  { rate: wanted, witness = 'auto' }: { readonly rate?: number; readonly witness?: Witness },
  session: OpenSession,
): Promise<InspectReport> {
  const { catalog, beyondSdk, probeFor, target, signal } = session;
  const check = connectCheck(session);
  const beyond = beyondSdk.operations.filter(
    ({ permissions, access }) =>
      access !== 'unsafe' && permissions.every((name) => catalog.operationsOf(name).length === 0),
  );
  const canAnswer = (operation: Operation) =>
    unansweredBy(target.name, operation, { isAllowed: true, isLive: key.countsAsLive }) === undefined;
  const probes = [
    ...planInspection(catalog, probeFor, canAnswer).map(probeFor),
    ...beyond.map(probeFor),
    check,
  ];
  const remembered = (await session.records.all()).find((one) => one.fingerprint === fingerprintOf(key));
  const reading = new KeyRecordReader(session, witness).read({ key, remembered });
  const rate = wanted ?? defaultRate(target.name, key.mode);
  if (key.countsAsLive) announce(probes, target.apiBase, rate, session);
  const progress = await startProgress(session, `inspect: ${probes.length} probes`);
  const outcome = await sendProbes(probes, {
    key,
    target: target.name,
    apiBase: target.apiBase,
    apiVersion: catalog.apiVersion,
    ratePerSecond: rate,
    signal,
    onProgress: progress.update,
  }).finally(progress.stop);
  await noteRefusals(
    outcome.results.filter(({ probe }) => probe !== check),
    session,
  );
  return reportOf(outcome, probes.length - 1, check, {
    record: await reading,
    beyondSdk,
    target: target.name,
    apiBase: target.apiBase,
    targetNote: target.note,
    key: { mode: key.mode ?? null, fingerprint: fingerprintOf(key), place },
    catalog,
  });
}

/** A live account's owner sees what will be asked before it is. */
function announce(
  probes: readonly Probe[],
  apiBase: string,
  rate: number | undefined,
  { stderr }: OpenSession,
): void {
  const pace = rate === undefined ? '' : ` at ${rate} a second`;
  const text = `${counted(probes.length, 'request')} to ${apiBase}${pace}, each of which can change nothing:`;
  stderr.write(wrap(text, stderr));
  for (const { operation, path } of probes) stderr.write(`  ${operation.method} ${path}\n`);
}

type Facts = Pick<InspectReport, 'target' | 'apiBase' | 'targetNote' | 'key' | 'record'> &
  Pick<OpenSession, 'catalog' | 'beyondSdk'>;

function reportOf(
  outcome: SendOutcome,
  probes: number,
  check: Probe,
  { catalog, beyondSdk, ...facts }: Facts,
): InspectReport {
  const checked = outcome.results.find(({ probe }) => probe === check);
  const connect =
    checked === undefined ? 'not-asked' : readConnectState(checked.verdict, checked.observation);
  const shown = outcome.results
    .filter(({ probe, verdict }) => probe !== check && !isQuiet(probe.operation, verdict))
    .map(({ probe, verdict }) => ({ operation: probe.operation, verdict }));
  const inference = inferPermissions(catalog, shown);
  const { record } = facts;
  const stopped = stoppedText(outcome);
  const inconclusive = new Map<string, { reason: string; message: string; count: number }>();
  for (const { verdict } of shown) {
    if (verdict.kind !== 'inconclusive' || verdict.message === stopped?.message) continue;
    const { reason = 'unknown', message } = verdict;
    const known = inconclusive.get(message);
    inconclusive.set(message, { reason, message, count: (known?.count ?? 0) + 1 });
  }
  return {
    ...facts,
    catalog: catalog.source,
    apiVersion: catalog.apiVersion,
    inference: record.read ? settleByRecord(inference, record, catalog) : inference,
    answersTell: !inference.permissions.some(isUnanswered),
    connect,
    unseen: record.read ? [] : unseenByInspection(inference, connect, { catalog, beyondSdk }),
    answered: shown.filter(({ verdict }) => verdict.kind !== 'inconclusive').length,
    probes,
    requests: outcome.requests,
    inconclusive: [...inconclusive.values()].sort((a, b) => b.count - a.count),
    stopped,
  };
}

import type { OperationName } from '../core/catalog/catalog.ts';
import { nextCommand } from '../core/next-command.ts';
import type { Depth } from '../core/probe/depth.ts';
import type { Probe } from '../core/probe/probe.ts';
import { type ProbePlan, planProbes } from '../core/probe/probe-plan.ts';
import type { Witness } from '../core/probe/witness.ts';
import type { VerifyResult } from '../core/result/verify-report.ts';
import { type ConnectState, judgeConnectCheck, readConnectState } from '../core/verdict/connect-state.ts';
import { findingsOf, type Judged, summarize } from '../core/verdict/finding.ts';
import { judgeRecord } from '../core/verdict/judge-record.ts';
import { judgeResult } from '../core/verdict/judge-result.ts';
import type { KeyRecordWitness } from '../core/verdict/record.ts';
import { isQuiet, unseenPermissions } from '../core/verdict/unseen.ts';
import { furtherCalls, witnessContradictions } from '../core/verdict/witness-contradictions.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import { startProgress } from '../session/progress.ts';
import type { OpenSession } from '../session/session.ts';
import { wholeProfileDigest } from '../store/files/profile-digest.ts';
import type { FoundKey } from '../store/find-key.ts';
import { fingerprintOf, type KeyRecord } from '../store/notes/key-records.ts';
import { type SendOutcome, type SentProbe, sendProbes } from '../stripe/send-probes.ts';
import { connectCheck } from './connect-check.ts';
import { noteRefusals } from './note-refusals.ts';
import { KeyRecordReader } from './read-key-record.ts';
import { stoppedText } from './stopped-text.ts';

export interface ProbeKeyOptions {
  readonly depth: Depth;
  /** Probes a second. */
  readonly rate?: number;
  /** For one attempt, in ms. */
  readonly timeoutMs?: number;
  /** When the run must be over, by the clock of the context. */
  readonly endBy?: Date;
  /** Operations to probe at any depth. */
  readonly also?: readonly OperationName[];
  /** `acct_…`: a connected account with which the Connect side is probed as the own side is. */
  readonly account?: string;
  /** Who is asked (default `auto`). */
  readonly witness?: Witness;
  /** Reads records; one for all keys of a run, so that a list is read once. */
  readonly records?: KeyRecordReader;
}

/** Profile → probe plan → send → verdicts → findings, for one key; and Stripe's record of it beside them. */
export async function probeKey(
  grant: ProfileGrant,
  found: FoundKey,
  options: ProbeKeyOptions,
  session: OpenSession,
): Promise<VerifyResult> {
  return new KeyProbing(grant, found, options, session).finish();
}

class KeyProbing {
  readonly #grant: ProfileGrant;
  readonly #found: FoundKey;
  readonly #options: ProbeKeyOptions;
  readonly #session: OpenSession;
  readonly #own: ProbePlan;
  readonly #connect: ProbePlan | undefined;
  readonly #startedAt: Date;
  #requests = 0;

  constructor(grant: ProfileGrant, found: FoundKey, options: ProbeKeyOptions, session: OpenSession) {
    this.#grant = grant;
    this.#found = found;
    this.#options = options;
    this.#session = session;
    this.#startedAt = session.now();
    this.#own = this.#plan(false);
    this.#connect =
      options.account === undefined || grant.grant.connectPermissions.length === 0
        ? undefined
        : this.#plan(true);
  }

  async finish(): Promise<VerifyResult> {
    const { account, depth } = this.#options;
    const remembered = await this.#remembered();
    const reading = this.#readRecord(remembered);
    const isAsked = depth !== 'record';
    const check = connectCheck(this.#session);
    const probes = [
      ...(isAsked ? [check] : []),
      ...this.#own.probes,
      ...(this.#connect?.probes ?? []).map((probe) => ({ ...probe, account })),
    ];
    const outcome = await this.#send(probes);
    const record = await reading;
    const checked = outcome.results.find(({ probe }) => probe === check);
    const answers = outcome.results.filter((sent) => sent !== checked);
    const further = record.read ? await this.#askFurther(answers, record, outcome) : [];
    await noteRefusals([...answers, ...further], this.#session);
    return this.#resultOf([...answers, ...further], { outcome, record, checked, remembered });
  }

  #plan(connect: boolean): ProbePlan {
    const { catalog, beyondSdk, probeFor, target } = this.#session;
    const { depth, also = [] } = this.#options;
    return planProbes({
      ...this.#grant,
      catalog,
      beyondSdk,
      connect,
      depth,
      also: connect ? [] : also,
      probeFor,
      target: target.name,
      isLive: this.#found.key.countsAsLive,
    });
  }

  async #remembered(): Promise<KeyRecord | undefined> {
    const fingerprint = fingerprintOf(this.#found.key);
    return (await this.#session.records.all()).find((known) => known.fingerprint === fingerprint);
  }

  #readRecord(remembered: KeyRecord | undefined): Promise<KeyRecordWitness> {
    const witness = this.#options.depth === 'record' ? 'record' : (this.#options.witness ?? 'auto');
    const reader = this.#options.records ?? new KeyRecordReader(this.#session, witness);
    return reader.read({ key: this.#found.key, remembered });
  }

  async #send(probes: readonly Probe[]): Promise<SendOutcome> {
    const { profile } = this.#grant;
    const { target, catalog, now, signal } = this.#session;
    const { rate, timeoutMs, endBy } = this.#options;
    if (probes.length === 0) return { results: [], requests: 0, retries: 0 };
    const progress = await startProgress(this.#session, `${profile.name}: ${probes.length} probes`);
    const outcome = await sendProbes(probes, {
      key: this.#found.key,
      target: target.name,
      apiBase: target.apiBase,
      apiVersion: catalog.apiVersion,
      ratePerSecond: rate ?? profile.rate,
      timeoutMs,
      deadlineMs: endBy === undefined ? undefined : endBy.getTime() - now().getTime(),
      signal,
      onProgress: progress.update,
    }).finally(progress.stop);
    this.#requests += outcome.requests;
    return outcome;
  }

  /** Where record and probes contradict each other, a few more calls of the same permission tell who is wrong. */
  async #askFurther(
    answers: readonly SentProbe[],
    record: KeyRecordWitness & { read: true },
    outcome: SendOutcome,
  ): Promise<readonly SentProbe[]> {
    const { catalog, probeFor } = this.#session;
    if (outcome.stopped !== undefined) return [];
    const contradictions = witnessContradictions(answers.map(answerOf), record, catalog);
    const asked = new Set(answers.map(({ probe }) => probe.operation.name));
    const further = furtherCalls(contradictions, asked, catalog).flatMap((name) => {
      const operation = catalog.operation(name);
      const probe = operation === undefined ? undefined : probeFor(operation);
      return probe === undefined || probe.unsafe === true || probe.blind === true ? [] : [probe];
    });
    return (await this.#send(further)).results;
  }

  #resultOf(
    answers: readonly SentProbe[],
    {
      outcome,
      record,
      checked,
      remembered,
    }: {
      outcome: SendOutcome;
      record: KeyRecordWitness;
      checked: SentProbe | undefined;
      remembered: KeyRecord | undefined;
    },
  ): VerifyResult {
    const { profile, grant } = this.#grant;
    const { catalog, beyondSdk } = this.#session;
    const { key, variable, place } = this.#found;
    const context = { profile, grant, catalog };
    const all = answers.map(({ probe, verdict, observation }) => ({
      isQuiet: isQuiet(probe.operation, verdict),
      ...judgeResult(probe, verdict, observation, { ...context, connect: probe.account !== undefined }),
    }));
    const probed = all.filter((one) => !one.isQuiet);
    const connectState: ConnectState =
      checked === undefined ? 'not-asked' : readConnectState(checked.verdict, checked.observation);
    const isToldByRecord = record.read && record.connectPermissions.length > 0;
    const extra: readonly Judged[] = [
      ...(checked === undefined || (connectState === 'some' && isToldByRecord)
        ? []
        : judgeConnectCheck(checked, context)),
      ...(record.read ? judgeRecord(record, context) : []),
    ];
    const judged = [...probed.map(({ kind, result }) => ({ kind, result })), ...extra];
    const resultsOn = (connect: boolean) =>
      all.map(({ result }) => result).filter((result) => result.connect === connect);
    return {
      profile: profile.name,
      file: profile.file,
      profileDigest: wholeProfileDigest(profile),
      startedAt: this.#startedAt.toISOString(),
      durationMs: Math.max(0, this.#session.now().getTime() - this.#startedAt.getTime()),
      permissions: grant.permissions,
      connectPermissions: grant.connectPermissions,
      widenings: grant.widenings,
      key: {
        id: remembered?.id ?? (record.read ? record.id : null),
        mode: key.mode ?? null,
        fingerprint: fingerprintOf(key),
        variable,
        place,
        createdAt: remembered?.createdAt ?? null,
        expiresAt: (record.read ? record.expiresAt : undefined) ?? remembered?.expiresAt ?? null,
        account: remembered?.account ?? null,
        madeFor: null,
      },
      summary: summarize(judged),
      findings: findingsOf(judged),
      permissionFindings: [],
      unseen: record.read
        ? []
        : unseenPermissions({
            catalog,
            beyondSdk,
            grant,
            own: { plan: this.#own, results: resultsOn(false) },
            connect:
              this.#connect === undefined ? undefined : { plan: this.#connect, results: resultsOn(true) },
            connectState,
          }),
      witnesses: { probes: { asked: probed.length, connect: connectState }, record },
      contradictions: record.read ? witnessContradictions(answers.map(answerOf), record, catalog) : [],
      unasked: this.#own.unasked,
      probes: probed.map(({ result }) => result),
      requests: this.#requests,
      stopped:
        stoppedText(outcome, profile.name, this.#session.globals.place) ??
        this.#recordMissing(record) ??
        expired(record, profile.name, this.#session.globals.place) ??
        withheld(this.#own),
    };
  }

  /** Who was asked for the record gets no verdict without it. */
  #recordMissing(record: KeyRecordWitness): VerifyResult['stopped'] {
    const { witness, depth } = this.#options;
    if (record.read || (depth !== 'record' && witness !== 'record' && witness !== 'both')) return undefined;
    return {
      code: 'RECORD_UNREAD',
      message: record.message,
      hint: 'Set STRIPE_SECRET_KEY to a secret key of the same account and mode, or say --witness probes.',
    };
  }
}

function answerOf({ probe, verdict }: SentProbe) {
  return {
    operation: probe.operation.name,
    observed: verdict.kind,
    connect: probe.account !== undefined,
    named: verdict.named,
  };
}

/** The record says that the key is ended; that is no proof of death, and no verdict either. */
function expired(
  record: KeyRecordWitness,
  profile: string,
  place: readonly string[],
): VerifyResult['stopped'] {
  if (!record.read || record.status === 'active') return undefined;
  return {
    code: 'KEY_DEAD',
    message: "Stripe's record says that this key has expired or was revoked.",
    hint: `Make a new one with "${nextCommand(`keyaudit provision ${profile} --again`, place)}".`,
  };
}

/** What the profile or the lock file names is no yes without an answer. */
function withheld({ unasked }: ProbePlan): VerifyResult['stopped'] {
  const named = unasked.filter((one) => one.named === true);
  const [first] = named;
  if (first === undefined) return undefined;
  const isTestMode = first.reason === 'test-mode';
  const names = named.filter(({ reason }) => reason === first.reason).map(({ operation }) => operation);
  return {
    code: 'PROBE_WITHHELD',
    message: `${names.join(', ')}: not asked, since ${isTestMode ? 'it exists in test mode alone and this is a live key' : 'calibration has shown that the probe is not harmless'}.`,
    hint: isTestMode
      ? 'Verify the test key of this profile, or take the test helper out of its checks.'
      : 'Name another call of the same permission in its place.',
  };
}

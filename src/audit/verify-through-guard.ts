import { randomBytes } from 'node:crypto';
import { isWrite, type Operation, type OperationName } from '../core/catalog/catalog.ts';
import type { Stopped } from '../core/error.ts';
import { letThrough } from '../core/grant/let-through.ts';
import { impossibleId } from '../core/probe/build-probe.ts';
import type { GuardSection } from '../core/profile/guard-section.ts';
import { judgeGuarded } from '../core/result/judge-guarded.ts';
import type { SecretKey } from '../core/secret-key.ts';
import {
  type Finding,
  findingsOf,
  type ProbeResult,
  type Summary,
  summarize,
} from '../core/verdict/finding.ts';
import type { ProfileGrant } from '../session/profile-grant.ts';
import type { OpenSession } from '../session/session.ts';
import { sendProbes } from '../stripe/send-probes.ts';
import { stoppedText } from './stopped-text.ts';

/** What a guard lets through for one profile, call by call. */
export interface GuardResult {
  readonly profile: string;
  readonly summary: Summary & { readonly guarded: number };
  readonly findings: readonly Finding[];
  /** What the key allows and the guard refuses, what can write first. */
  readonly closedByGuard: readonly ProbeResult[];
  /** The connected account with which the Connect side was asked; absent where it was not. */
  readonly account?: string | undefined;
  readonly requests: number;
  readonly stopped?: Stopped | undefined;
}

/** A guard that is to be proved, and a run key of it. */
export interface GuardUnderTest {
  readonly url: string;
  readonly key: SecretKey;
  /** `acct_…`: with which the Connect side is asked (default: one that the profile names, else one that cannot exist). */
  readonly account?: string | undefined;
}

/**
 * Asks every operation of the catalog through the guard, each in a way that can do nothing; those about a connected
 * account as well, where the key has Connect permissions or the profile names accounts.
 * @returns the result, and every probe
 */
export async function verifyThroughGuard(
  { profile, grant }: ProfileGrant,
  { url, key, account: given }: GuardUnderTest,
  session: Pick<OpenSession, 'catalog' | 'probeFor' | 'target' | 'signal' | 'globals'>,
): Promise<{ readonly result: GuardResult; readonly probes: readonly ProbeResult[] }> {
  const { catalog, probeFor, target, signal, globals } = session;
  const guard: Pick<GuardSection, 'only' | 'accounts'> = profile.guard ?? { only: 'asked', accounts: [] };
  const account = connectAccount({ grant, accounts: guard.accounts, given });
  const open = letThrough(profile, guard, grant, catalog);
  const none: ReadonlySet<OperationName> = new Set();
  // Of an account that the profile does not name nothing passes.
  const connect = account !== undefined && guard.accounts.includes(account) ? open.connect : none;
  const asked = (through: ReadonlySet<OperationName>) => (operation: Operation) => {
    const probe = probeFor(operation);
    return probe.unsafe === true && through.has(operation.name) ? [] : [probe];
  };
  const own = catalog.operations.flatMap(asked(open.own));
  const other = account === undefined ? [] : catalog.operations.flatMap(asked(connect));
  const outcome = await sendProbes([...own, ...other.map((probe) => ({ ...probe, account }))], {
    key,
    target: target.name,
    apiBase: url,
    apiVersion: catalog.apiVersion,
    signal,
  });
  const judged = outcome.results.map((sent) => {
    const isConnect = sent.probe.account !== undefined;
    const through = isConnect ? connect : open.own;
    return judgeGuarded(sent, { profile, grant, catalog, through, connect: isConnect });
  });
  const result = {
    profile: profile.name,
    summary: {
      ...summarize(judged),
      guarded: judged.filter(({ result: { observed } }) => observed === 'guarded').length,
    },
    findings: findingsOf(judged),
    closedByGuard: judged
      .filter(({ isClosed }) => isClosed)
      .map(({ result: closed }) => closed)
      .sort((a, b) => Number(writes(b)) - Number(writes(a))),
    account,
    requests: outcome.requests,
    stopped: stoppedText(outcome, profile.name, globals.place),
  };
  return { result, probes: judged.map(({ result: probe }) => probe) };

  function writes({ operation }: ProbeResult): boolean {
    const known = catalog.operation(operation);
    return known !== undefined && isWrite(known);
  }
}

function connectAccount({
  grant,
  accounts,
  given,
}: {
  readonly grant: ProfileGrant['grant'];
  readonly accounts: readonly string[];
  readonly given: string | undefined;
}): string | undefined {
  if (given !== undefined) return given;
  const [named] = accounts;
  if (named !== undefined || grant.connectPermissions.length === 0) return named;
  return impossibleId('acct', randomBytes(6).toString('hex'));
}

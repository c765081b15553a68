import { isWrite, type Operation } from '../core/catalog/catalog.ts';
import type { Stopped } from '../core/error.ts';
import { letThrough } from '../core/grant/let-through.ts';
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
  readonly requests: number;
  readonly stopped?: Stopped | undefined;
}

/** A guard that is to be proved, and a run key of it. */
export interface GuardUnderTest {
  readonly url: string;
  readonly key: SecretKey;
}

/** Asks every operation of the catalog through the guard, each in a way that can do nothing. */
export async function verifyThroughGuard(
  { profile, grant }: ProfileGrant,
  { url, key }: GuardUnderTest,
  session: Pick<OpenSession, 'catalog' | 'probeFor' | 'target' | 'signal' | 'globals'>,
): Promise<GuardResult> {
  const { catalog, probeFor, target, signal, globals } = session;
  const guard = profile.guard ?? { only: 'asked' };
  const through = letThrough(profile, guard, grant, catalog).own;
  const asked = (operation: Operation) => {
    const probe = probeFor(operation);
    return probe.unsafe === true && through.has(operation.name) ? [] : [probe];
  };
  const outcome = await sendProbes(catalog.operations.flatMap(asked), {
    key,
    target: target.name,
    apiBase: url,
    apiVersion: catalog.apiVersion,
    signal,
  });
  const judged = outcome.results.map((sent) => judgeGuarded(sent, { profile, grant, catalog, through }));
  return {
    profile: profile.name,
    summary: {
      ...summarize(judged),
      guarded: judged.filter(({ result }) => result.observed === 'guarded').length,
    },
    findings: findingsOf(judged),
    closedByGuard: judged
      .filter(({ isClosed }) => isClosed)
      .map(({ result }) => result)
      .sort((a, b) => Number(writes(b)) - Number(writes(a))),
    requests: outcome.requests,
    stopped: stoppedText(outcome, profile.name, globals.place),
  };

  function writes({ operation }: ProbeResult): boolean {
    const known = catalog.operation(operation);
    return known !== undefined && isWrite(known);
  }
}

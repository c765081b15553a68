import { lstat } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { EXIT, KeyauditError } from '../../core/error.ts';
import type { GuardStatus, Killed, Reconciled } from '../../core/spend/guard-status.ts';
import type { KillTarget } from '../../core/spend/log-row.ts';
import type { AdminVerbs, IssueBody, KillBody, ResumeBody } from '../../guard/admin/admin-server.ts';
import { shortPath } from '../../guard/admin/admin-server.ts';
import { refuseLink, WORKSPACE } from '../../store/workspace.ts';

/** What can be asked of a guard that runs. */
interface Verbs {
  readonly status: [body: Record<string, never>, answer: GuardStatus];
  readonly issue: [body: IssueBody, answer: { readonly expiresAt: number }];
  readonly end: [body: { readonly run: string }, answer: Record<string, never>];
  readonly kill: [body: KillBody, answer: Killed & { readonly target: KillTarget }];
  readonly resume: [body: ResumeBody, answer: { readonly epoch: number }];
  readonly reconcile: [
    body: { readonly run?: string },
    answer: { readonly reconciled: readonly Reconciled[] },
  ];
  readonly revoke: [body: { readonly target: KillTarget }, answer: { readonly revoked: readonly string[] }];
}

/** Where the guard of a folder takes commands. */
export function guardSocket(cwd: string): string {
  return join(cwd, WORKSPACE, 'guard', 'guard.sock');
}

/**
 * Asks the guard of a folder something, through its socket.
 * @throws KeyauditError `GUARD_NOT_RUNNING` (exit 3), `GUARD_REFUSED` (exit 2) with what it says
 */
export async function askGuard<V extends keyof Verbs>(
  cwd: string,
  verb: V,
  body: Verbs[V][0],
): Promise<Verbs[V][1]> {
  const file = guardSocket(cwd);
  await refuseLink(file);
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined || !found.isSocket()) throw notRunning(file);
  // Whoever else made it would be told what is asked.
  if (process.getuid !== undefined && found.uid !== process.getuid()) {
    throw new KeyauditError('GUARD_REFUSED', `${file} belongs to another user.`, {
      hint: 'Run this as the user that the guard runs as.',
    });
  }
  const { status, text } = await post(shortPath(file), verb, JSON.stringify(body)).catch((cause: unknown) => {
    throw notRunning(file, cause);
  });
  const answer: unknown = JSON.parse(text);
  if (status !== 200) throw refused(answer as Refused);
  return answerOf<V>(answer);
}

/** Asks one guard something. @throws KeyauditError `GUARD_NOT_RUNNING`, `GUARD_REFUSED` */
export type AskGuard = <V extends keyof Verbs>(verb: V, body: Verbs[V][0]) => Promise<Verbs[V][1]>;

/** The guard that runs for a folder. */
export function guardOf(cwd: string): AskGuard {
  return (verb, body) => askGuard(cwd, verb, body);
}

/** A guard of this very process, which needs no socket. */
export function ownGuard(verbs: AdminVerbs): AskGuard {
  return async <V extends keyof Verbs>(verb: V, body: Verbs[V][0]) => answerOf<V>(await verbs[verb]?.(body));
}

interface Refused {
  readonly problem: string;
  readonly hint?: string;
}

function answerOf<V extends keyof Verbs>(answer: unknown): Verbs[V][1] {
  if ('problem' in (answer as object)) throw refused(answer as Refused);
  return answer as Verbs[V][1];
}

function refused({ problem, hint }: Refused): KeyauditError {
  return new KeyauditError('GUARD_REFUSED', problem, { hint });
}

function notRunning(file: string, cause?: unknown): KeyauditError {
  return new KeyauditError('GUARD_NOT_RUNNING', `No guard runs for this folder (${file}).`, {
    hint: 'Start one with "keyaudit guard PROFILE". One that "exec --guard" brought takes no commands: end its command with Ctrl-C or SIGTERM.',
    exitCode: EXIT.undetermined,
    cause,
  });
}

function post(socketPath: string, verb: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { socketPath, path: `/${verb}`, method: 'POST', headers: { 'content-type': 'application/json' } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

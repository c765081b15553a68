import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { relative } from 'node:path';
import { z } from 'zod';
import { shapeSentence } from '../../core/document/shape-problem.ts';
import { EXIT, KeyauditError } from '../../core/error.ts';
import { readAmount } from '../../core/spend/amount.ts';
import type { GuardStatus } from '../../core/spend/guard-status.ts';
import type { KillTarget } from '../../core/spend/log-row.ts';
import type { Control, NotDone } from './control.ts';

/** The socket takes no longer path on some systems. */
const LONGEST_PATH = 100;
const LARGEST_BODY = 64 * 1024;

const issueSchema = z.strictObject({
  profile: z.string(),
  run: z.string().regex(/^[\w.-]{1,64}$/),
  key: z.string().regex(/^[\w-]{43}$/),
  ttlMs: z.number().int().positive().optional(),
  caps: z.array(z.string()).default([]),
  labels: z.record(z.string(), z.string()).default({}),
  repeats: z.array(z.string()).default([]),
  rollMs: z.number().int().positive().optional(),
});
const targetSchema = z.strictObject({ name: z.string().optional(), all: z.boolean().optional() });
const killSchema = targetSchema.extend({ waitMs: z.number().int().min(0).default(0) });
const resumeSchema = targetSchema.extend({ epoch: z.number().int().min(0) });
const endSchema = z.strictObject({ run: z.string() });

export type IssueBody = z.input<typeof issueSchema>;
export type KillBody = z.input<typeof killSchema>;
export type ResumeBody = z.input<typeof resumeSchema>;

/** A further thing that can be asked of a guard, by its name. */
export type AdminVerb = (body: unknown) => Promise<unknown>;

export type AdminVerbs = Readonly<Record<string, AdminVerb>>;

export interface AdminOptions {
  readonly control: Control;
  readonly status: () => GuardStatus;
  readonly more?: AdminVerbs;
}

/** The guard's own door: a Unix socket that only its user may open. */
export interface AdminServer {
  readonly file: string;
  close(): Promise<void>;
}

/**
 * Listens for commands. There is one guard for a folder, which its log's lock has settled before, so that a socket
 * which is there was left behind.
 * @throws KeyauditError `GUARD_SOCKET`
 */
export async function serveAdmin(file: string, verbs: AdminVerbs): Promise<AdminServer> {
  const path = shortPath(file);
  await removeOld(file);
  const server = createServer((request, response) => {
    void answer(request, response, verbs);
  });
  try {
    server.listen(path);
    await once(server, 'listening');
    await chmod(path, 0o600);
  } catch (cause) {
    throw socketError(file, (cause as NodeJS.ErrnoException).code ?? 'no reason');
  }
  return {
    file,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The socket's path, from the working folder where that is shorter: systems take a hundred bytes. */
export function shortPath(file: string): string {
  const near = relative('.', file);
  const path = near.length < file.length ? near : file;
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path;
  throw socketError(file, 'its path is too long');
}

function socketError(file: string, why: string): KeyauditError {
  return new KeyauditError('GUARD_SOCKET', `The guard cannot be commanded through ${file} (${why}).`, {
    hint: 'Work in a folder with a shorter path, of which you may change .keyaudit/.',
    exitCode: EXIT.usage,
  });
}

async function removeOld(file: string): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) return;
  // Whatever else lies there is not the guard's to remove.
  if (!found.isSocket()) throw socketError(file, 'something else is in its place');
  await unlink(file);
}

/** All that can be asked of a guard, by whatever way. */
export function adminVerbs({ control, status, more }: AdminOptions): AdminVerbs {
  const named = ({ name, all }: z.infer<typeof targetSchema>): KillTarget | NotDone => {
    if (all === true) return { of: 'all' };
    const target = control.targetNamed(name ?? '');
    return (
      target ?? {
        problem: `There is no run and no profile ${name ?? ''} here.`,
        hint: '"keyaudit guard status" shows them.',
      }
    );
  };
  return {
    status: async () => status(),
    issue: async (body) => {
      const { caps, ...rest } = issueSchema.parse(body);
      const amounts = caps.map((text) => ({ text, read: readAmount(text) }));
      for (const { text, read } of amounts) {
        if ('problem' in read) return { problem: `"${text}" ${read.problem}` };
      }
      return control.issue({
        ...rest,
        caps: amounts.flatMap(({ read }) => ('minor' in read ? [read] : [])),
      });
    },
    end: async (body) => {
      await control.end(endSchema.parse(body).run);
      return {};
    },
    kill: async (body) => {
      const { waitMs, ...rest } = killSchema.parse(body);
      const target = named(rest);
      return 'problem' in target ? target : { target, ...(await control.kill(target, waitMs)) };
    },
    resume: async (body) => {
      const { epoch, ...rest } = resumeSchema.parse(body);
      const target = named(rest);
      return 'problem' in target ? target : control.resume(target, epoch);
    },
    ...more,
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, verbs: AdminVerbs): Promise<void> {
  const name = request.url?.slice(1) ?? '';
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  let status = 200;
  let result: unknown;
  try {
    if (request.method !== 'POST' || verb === undefined) {
      status = 404;
      result = { problem: `This guard cannot do "${name}".`, hint: 'It may be of another version.' };
    } else result = await verb(await bodyOf(request));
  } catch (error) {
    status = 500;
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    result = {
      problem:
        issue === undefined ? (error as Error).message : shapeSentence(issue, `what ${name} was given`),
    };
  }
  const text = JSON.stringify(result);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new RangeError('the request is too large');
    chunks.push(chunk);
  }
  return size === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

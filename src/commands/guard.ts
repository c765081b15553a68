import { EXIT, type ExitCode } from '../core/error.ts';
import { cleanUp } from '../keys/end/clean-up.ts';
import { type OpenGuard, openGuard } from '../keys/guard/open-guard.ts';
import { wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { grantsFor } from '../session/profile-grant.ts';
import { requireFormat } from '../session/result-output.ts';
import { openSession, withTarget } from '../session/session.ts';

export interface GuardCommandOptions {
  readonly profiles: readonly string[];
  readonly all?: boolean;
  readonly examples?: boolean;
  readonly listen: { readonly host: string; readonly port: number };
  /** A command that is handed each checkpoint of the log. */
  readonly anchor?: string;
}

/** `keyaudit guard PROFILE…`: the proxy before Stripe, until interrupted. */
export async function guard(options: GuardCommandOptions, context: CommandContext): Promise<ExitCode> {
  requireFormat(context.globals.format, ['table', 'json']);
  const session = await openSession(context);
  const grants = await grantsFor(options, session);
  return withTarget(session, async (open) => {
    await cleanUp(open, {});
    const opened = await openGuard(grants, { ...options.listen, anchor: options.anchor }, open);
    try {
      const { url } = opened.guard;
      const { socket } = opened;
      const { name, apiBase } = open.target;
      const line = { schema: 'keyaudit.guard/1', url, socket, target: name, upstream: apiBase };
      // One line for programs, whatever the format; words are for people.
      context.stdout.write(`${JSON.stringify(line)}\n`);
      if (!context.globals.quiet) sayReady(opened, context);
      await interrupted(context.signal);
    } finally {
      await opened.close();
    }
    return EXIT.ok;
  });
}

function sayReady({ guard: { url }, keys }: OpenGuard, { stderr }: CommandContext): void {
  const names = keys.map(({ profile, mode, from }) => `${profile.name} (${mode}, key: ${from})`);
  const next = `A run key: keyaudit guard issue ${keys[0]?.profile.name}. Stop it with Ctrl-C.`;
  stderr.write(wrap(`Guard at ${url}: ${names.join(', ')}. ${next}`, stderr));
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

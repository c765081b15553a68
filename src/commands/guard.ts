import { EXIT, type ExitCode } from '../core/error.ts';
import { cleanUp } from '../keys/end/clean-up.ts';
import { openGuard } from '../keys/guard/open-guard.ts';
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
  const { format } = context.globals;
  requireFormat(format, ['table', 'json']);
  const session = await openSession(context);
  const grants = await grantsFor(options, session);
  return withTarget(session, async (open) => {
    await cleanUp(open, {});
    const opened = await openGuard(grants, { ...options.listen, anchor: options.anchor }, open);
    try {
      const { url } = opened.guard;
      const { socket } = opened;
      if (format === 'json') {
        const line = {
          schema: 'keyaudit.guard/1',
          url,
          socket,
          target: open.target.name,
          upstream: open.target.apiBase,
        };
        context.stdout.write(`${JSON.stringify(line)}\n`);
      } else {
        const names = opened.keys.map(({ profile, mode, from }) => `${profile.name} (${mode}, key: ${from})`);
        context.stdout.write(
          wrap(`Guard at ${url}, before ${open.target.name} (${open.target.apiBase}).`, context.stdout),
        );
        context.stdout.write(wrap(`It serves ${names.join(', ')}.`, context.stdout));
        context.stdout.write(
          wrap(
            `A run key: keyaudit guard issue ${opened.keys[0]?.profile.name}. Stop it with Ctrl-C.`,
            context.stdout,
          ),
        );
      }
      await interrupted(context.signal);
    } finally {
      await opened.close();
    }
    return EXIT.ok;
  });
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

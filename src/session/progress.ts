import { plainText } from '../core/plain-text.ts';
import type { SendProgress } from '../stripe/send-probes.ts';
import type { CommandContext } from './context.ts';

export interface Progress {
  update(progress: SendProgress): void;
  stop(): void;
}

/** Work without a count. */
export interface Spinner {
  update(text: string): void;
  stop(): void;
}

/** How often a line is written where there is no terminal, in ms. */
const LINE_EVERY_MS = 5_000;

/** Probes on their way: count, rate and time left. */
export async function startProgress(context: CommandContext, title: string): Promise<Progress> {
  const spinner = await startSpinner(context, title);
  return {
    update: (progress) => {
      if (progress.done < progress.total) spinner.update(describe(progress));
    },
    stop: spinner.stop,
  };
}

/** On standard error: a spinner with a changing text on a terminal, a line every few seconds elsewhere, nothing with `--quiet`. */
export async function startSpinner(context: CommandContext, title: string): Promise<Spinner> {
  const { stderr } = context;
  if (context.globals.quiet) return { update: () => {}, stop: () => {} };
  if (stderr.isTerminal) {
    const { default: ora } = await import('ora');
    // ora looks at the terminal, not at NO_COLOR.
    const colour = stderr.colour ? {} : { color: false as const };
    // What a library tells a terminal is not made plain on its way: it moves the cursor.
    const line = (text: string) => plainText(text).replaceAll('\n', ' ');
    const spinner = ora({ text: line(title), discardStdin: false, ...colour }).start();
    return {
      update: (text) => {
        spinner.text = line(`${title}: ${text}`);
      },
      stop: () => spinner.stop(),
    };
  }
  let last = context.now().getTime();
  return {
    update: (text) => {
      const now = context.now().getTime();
      if (now - last < LINE_EVERY_MS) return;
      last = now;
      stderr.write(`${title}: ${text}\n`);
    },
    stop: () => {},
  };
}

function describe({ done, total, ratePerSecond, retries, slowedDown, etaMs }: SendProgress): string {
  const parts = [`${done}/${total}`, `${Math.round(ratePerSecond)}/s`, `${Math.ceil(etaMs / 1000)} s left`];
  if (retries > 0) parts.push(`${retries} retries`);
  if (slowedDown) parts.push('slowed down by the rate limit');
  return parts.join(', ');
}

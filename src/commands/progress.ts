import ora, { type Options } from 'ora';
import type { SendProgress } from '../stripe/send-probes.ts';
import type { CommandContext } from './context.ts';

export interface Progress {
  update(progress: SendProgress): void;
  stop(): void;
}

/** How often a line is written where there is no terminal, in ms. */
const LINE_EVERY_MS = 5_000;

/** Progress on standard error: a spinner on a terminal, a line every few seconds elsewhere, nothing with `--quiet`. */
export function startProgress(context: CommandContext, title: string): Progress {
  if (context.globals.quiet) return { update: () => {}, stop: () => {} };
  if (context.stderr.isTerminal) {
    const spinner = ora(spinnerOptions(title, context)).start();
    return {
      update: (progress) => {
        spinner.text = `${title}: ${describe(progress)}`;
      },
      stop: () => spinner.stop(),
    };
  }
  let last = context.now().getTime();
  return {
    update: (progress) => {
      const now = context.now().getTime();
      if (now - last < LINE_EVERY_MS || progress.done === progress.total) return;
      last = now;
      context.stderr.write(`${title}: ${describe(progress)}\n`);
    },
    stop: () => {},
  };
}

/** Work without a count: a spinner with a changing text on a terminal, a line every few seconds elsewhere. */
export function startSpinner(
  context: CommandContext,
  title: string,
): { readonly update: (text: string) => void; readonly stop: () => void } {
  if (context.globals.quiet) return { update: () => {}, stop: () => {} };
  if (context.stderr.isTerminal) {
    const spinner = ora(spinnerOptions(title, context)).start();
    return {
      update: (text) => {
        spinner.text = `${title}: ${text}`;
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
      context.stderr.write(`${title}: ${text}\n`);
    },
    stop: () => {},
  };
}

/** ora looks at the terminal, not at NO_COLOR. */
function spinnerOptions(text: string, { stderr }: CommandContext): Options {
  return { text, discardStdin: false, ...(stderr.colour ? {} : { color: false }) };
}

function describe({ done, total, ratePerSecond, retries, slowedDown, etaMs }: SendProgress): string {
  const parts = [`${done}/${total}`, `${Math.round(ratePerSecond)}/s`, `${Math.ceil(etaMs / 1000)} s left`];
  if (retries > 0) parts.push(`${retries} retries`);
  if (slowedDown) parts.push('slowed down by the rate limit');
  return parts.join(', ');
}

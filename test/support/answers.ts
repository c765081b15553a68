import { fileURLToPath } from 'node:url';
import type { CommandContext } from '../../src/session/context.ts';

/** A command on a terminal of plain lines, before which somebody gives these answers; `undefined` ends the questions. */
export interface Answered {
  readonly context: CommandContext;
  /** The questions so far. */
  readonly asked: readonly string[];
  /** All that was said. */
  said(): string;
}

export function answering(
  cwd: string,
  answers: readonly (string | undefined)[],
  changes: Partial<CommandContext> = {},
): Answered {
  const asked: string[] = [];
  const printed: string[] = [];
  const output = {
    write: (text: string) => void printed.push(text),
    isTerminal: true,
    columns: 100,
    colour: false,
  };
  const context: CommandContext = {
    cwd,
    from: cwd,
    project: { sources: {} },
    env: { HOME: cwd },
    packageRoot: fileURLToPath(new URL('../..', import.meta.url)),
    version: '1.2.3',
    globals: { target: 'sandbox', format: 'table', quiet: false, verbose: false, live: false } as never,
    stdout: output,
    stderr: output,
    redact: (text) => text,
    hideVariable: () => true,
    writeUnredacted: () => {},
    stdin: {
      isTerminal: true,
      readText: async () => '',
      drawnPrompts: async () => undefined,
      readSecret: async () => '',
      openSecretPrompt: async () => ({ ask: async () => '', close: () => {} }),
      ask: async (question) => {
        asked.push(question);
        if (asked.length > answers.length + 20) throw new Error(`asked without end: ${question}`);
        return asked.length > answers.length ? '' : answers[asked.length - 1];
      },
    },
    now: () => new Date('2026-11-23T00:00:00Z'),
    signal: new AbortController().signal,
    ...changes,
  };
  return { context, asked, said: () => printed.join('') };
}

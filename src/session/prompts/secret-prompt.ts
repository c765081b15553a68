import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { TerminalStreams } from './ask.ts';

/** Where secrets are pasted, for as long as it is open. */
export interface SecretPrompt {
  /**
   * One answer, lines that were pasted at once among it; empty at the end of input.
   * @throws what the run's signal gives as its reason, on Ctrl-C
   */
  ask(prompt: string): Promise<string>;
  /** The terminal shows again what is typed. */
  close(): void;
}

/** How long a terminal is listened to after a line, so that no line of a paste reaches the shell behind, in ms. */
const PASTE_MS = 150;

/** Begun once: an iterator that is dropped takes what it has read ahead with it. */
const linesOf = new WeakMap<NodeJS.ReadableStream, AsyncIterator<string>>();

/**
 * Takes secrets: on a terminal by prompts on standard error, and until it is closed nothing that is typed or pasted
 * shows; elsewhere the lines of standard input, one an answer.
 */
export function openSecretPrompt(streams: TerminalStreams, signal: AbortSignal): SecretPrompt {
  const { stdin } = streams;
  return stdin.isTTY === true
    ? terminalPrompt(streams, signal)
    : { ask: () => nextLine(stdin), close: () => {} };
}

/** One secret by a prompt of its own; see {@link openSecretPrompt}. */
export async function readSecret(
  prompt: string,
  streams: TerminalStreams,
  signal: AbortSignal,
): Promise<string> {
  const secrets = openSecretPrompt(streams, signal);
  try {
    return await secrets.ask(prompt);
  } finally {
    secrets.close();
  }
}

async function nextLine(stdin: NodeJS.ReadableStream): Promise<string> {
  const lines = linesOf.get(stdin) ?? createInterface({ input: stdin })[Symbol.asyncIterator]();
  linesOf.set(stdin, lines);
  const next = await lines.next();
  return next.done === true ? '' : next.value;
}

function terminalPrompt({ stdin, stderr }: TerminalStreams, signal: AbortSignal): SecretPrompt {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: stdin, output: silent, terminal: true, historySize: 0 });
  let isOpen = true;
  terminal.on('close', () => {
    isOpen = false;
  });
  // The terminal hands on no signal while nothing is shown, so that it is sent from here.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  return {
    ask: async (prompt) => {
      signal.throwIfAborted();
      stderr.write(prompt);
      try {
        return isOpen ? await pasted(terminal, signal) : '';
      } finally {
        stderr.write('\n');
      }
    },
    close: () => terminal.close(),
  };
}

async function pasted(terminal: Interface, signal: AbortSignal): Promise<string> {
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  terminal.on('line', onLine);
  try {
    await new Promise<void>((resolve, reject) => {
      terminal.once('line', () => resolve());
      terminal.once('close', () => resolve());
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    for (let known = 0; known < lines.length; ) {
      known = lines.length;
      await delay(PASTE_MS);
    }
  } finally {
    terminal.off('line', onLine);
  }
  return lines.join('\n');
}

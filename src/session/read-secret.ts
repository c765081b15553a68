import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { TerminalStreams } from './ask.ts';

/** Begun once: an iterator that is dropped takes what it has read ahead with it. */
const linesOf = new WeakMap<NodeJS.ReadableStream, AsyncIterator<string>>();

/**
 * Reads a line that is not shown: on a terminal by a prompt on standard error without an echo, elsewhere
 * the next line of standard input. Empty at its end.
 */
export async function readSecret(prompt: string, { stdin, stderr }: TerminalStreams): Promise<string> {
  if (stdin.isTTY !== true) {
    const lines = linesOf.get(stdin) ?? createInterface({ input: stdin })[Symbol.asyncIterator]();
    linesOf.set(stdin, lines);
    const next = await lines.next();
    return next.done === true ? '' : next.value;
  }
  stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve) => {
      terminal.once('line', resolve);
      terminal.once('close', () => resolve(''));
      terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    });
  } finally {
    terminal.close();
    stderr.write('\n');
  }
}

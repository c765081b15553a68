import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

let lines: AsyncIterator<string> | undefined;

/**
 * Reads a line that is not shown: on a terminal by a prompt on standard error without an echo, elsewhere
 * the next line of standard input. Empty at its end.
 */
export async function readSecret(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true) {
    lines ??= createInterface({ input: stdin })[Symbol.asyncIterator]();
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

import { createInterface } from 'node:readline/promises';
import { plainText } from '../../core/plain-text.ts';

/** Where a person is asked, and answers. */
export interface TerminalStreams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream;
}

/** Asks one question on the terminal; the answer without blanks around it, undefined at the end of input and on Ctrl-C. */
export async function ask(question: string, { stdin, stderr }: TerminalStreams): Promise<string | undefined> {
  const terminal = createInterface({ input: stdin, output: stderr });
  const ended = new AbortController();
  terminal.once('close', () => ended.abort());
  try {
    return (await terminal.question(plainText(question), { signal: ended.signal })).trim();
  } catch (error) {
    if (ended.signal.aborted) return undefined;
    throw error;
  } finally {
    terminal.close();
  }
}

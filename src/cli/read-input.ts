import { KeyauditError } from '../core/error.ts';

/** Standard input holds a key, or a list of calls. */
const MOST_BYTES = 1_000_000;
/** Longest for all of it, in ms. */
const LONGEST_MS = 60_000;

/**
 * All of standard input, as far as it has an end.
 * @throws KeyauditError `FILE_UNREADABLE` for more than a million bytes, or when it does not end within a minute
 */
export async function readInput(
  stdin: NodeJS.ReadableStream,
  { longestMs = LONGEST_MS }: { readonly longestMs?: number } = {},
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const refused = (why: string) =>
    new KeyauditError('FILE_UNREADABLE', `Standard input ${why}.`, {
      hint: 'Give it the key, or the calls, and nothing else.',
    });
  return new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => done(refused(`did not end within ${longestMs / 1_000} s`)), longestMs);
    const onData = (chunk: Buffer | string) => {
      chunks.push(Buffer.from(chunk));
      length += chunk.length;
      if (length > MOST_BYTES) done(refused(`holds more than ${MOST_BYTES} bytes`));
    };
    const onEnd = () => done();
    const done = (error?: Error) => {
      clearTimeout(timer);
      stdin.off('data', onData).off('end', onEnd).off('error', done);
      stdin.pause();
      // A pipe that somebody keeps open must not keep the process.
      if (error !== undefined && 'destroy' in stdin) (stdin as { destroy(): void }).destroy();
      if (error === undefined) resolve(Buffer.concat(chunks).toString('utf8'));
      else reject(error);
    };
    stdin.on('data', onData).on('end', onEnd).on('error', done);
  });
}

import { constants, createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** No file that people write for keyaudit comes near it, and no report that it writes of a whole fleet. */
const MOST_BYTES = 64_000_000;
/** Longest for what a shell hands over by a pipe, in ms. */
const LONGEST_MS = 60_000;
/** Where a shell puts the pipe of `<(command)`, and standard input. */
const HANDED_OVER = /^\/(?:dev|proc\/self)\/(?:fd\/\d+|stdin)$/;

/**
 * Reads a file whole, if it is one and has an end: a checkout can bring a pipe that nobody writes to, or a link to a
 * device that never stops.
 * @throws an error of the system, or one with the code `EFBIG`, `ENOTFILE` or `ETIMEDOUT`
 */
export async function readTextFile(path: string, encoding: BufferEncoding = 'utf8'): Promise<string> {
  // Without waiting: opening a pipe would else wait for its writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (found.isFile()) return await readWhole(handle, encoding);
    if (found.isDirectory()) throw withCode('EISDIR');
    if (!HANDED_OVER.test(path)) throw withCode('ENOTFILE');
  } finally {
    await handle.close();
  }
  return readPipe(path, encoding);
}

async function readWhole(handle: FileHandle, encoding: BufferEncoding): Promise<string> {
  if ((await handle.stat()).size > MOST_BYTES) throw withCode('EFBIG');
  return readAll(handle.createReadStream({ autoClose: false }), encoding);
}

async function readPipe(path: string, encoding: BufferEncoding): Promise<string> {
  const stream = createReadStream(path);
  const timer = setTimeout(() => stream.destroy(withCode('ETIMEDOUT')), LONGEST_MS);
  try {
    return await readAll(stream, encoding);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(stream: AsyncIterable<unknown>, encoding: BufferEncoding): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > MOST_BYTES) throw withCode('EFBIG');
  }
  return Buffer.concat(chunks).toString(encoding);
}

function withCode(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

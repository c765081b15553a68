import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs';

/** No file that people write for keyaudit comes near it, and no report that it writes of a whole fleet. */
const MOST_BYTES = 64_000_000;
const CHUNK_BYTES = 4_096;
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
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    if (found.isFile()) return readWhole(file, found.size, encoding);
    if (found.isDirectory()) throw withCode('EISDIR');
    if (!HANDED_OVER.test(path)) throw withCode('ENOTFILE');
  } finally {
    closeSync(file);
  }
  return readPipe(path, encoding);
}

/**
 * At once: a stream costs more than the file, a promise for each of open, stat, read and close as much, and `lint` reads a
 * thousand files.
 */
function readWhole(file: number, size: number, encoding: BufferEncoding): string {
  if (size > MOST_BYTES) throw withCode('EFBIG');
  const chunks: Buffer[] = [];
  let length = 0;
  // What the system says of a size is not always so: /proc says 0, and another process may be writing.
  for (let room = size; length <= MOST_BYTES; room = 0) {
    const chunk = Buffer.allocUnsafe(Math.max(room, CHUNK_BYTES));
    const bytesRead = readSync(file, chunk);
    if (bytesRead === 0) return Buffer.concat(chunks).toString(encoding);
    chunks.push(chunk.subarray(0, bytesRead));
    length += bytesRead;
  }
  throw withCode('EFBIG');
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

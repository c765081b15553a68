import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

type Env = Record<string, string | undefined>;

/**
 * Takes a variable's value out of the memory that this process was started with. Other processes of the same user,
 * those that it starts among them, read it there for as long as it runs (`/proc/PID/environ`; Linux alone has it);
 * for this process the variable stays as it is. Starting again without it would leave it with the process that waits.
 * @param env the environment of the process
 * @returns whether no other process can read it there now
 */
export function hideVariable(name: string, env: Env): boolean {
  const value = env[name];
  if (value === undefined || value === '') return true;
  try {
    overwrite(name);
    // What the program itself reads is the memory that was overwritten, so it is set anew, elsewhere.
    env[name] = value;
    return !isShown(name, value);
  } catch {
    return false;
  }
}

function isShown(name: string, value: string): boolean {
  return readFileSync('/proc/self/environ', 'utf8').split('\0').includes(`${name}=${value}`);
}

/** Every value of the variable becomes blank, at its length. @throws where the system has no such files, or forbids it */
function overwrite(name: string): void {
  const { start, length } = placeOfEnvironment();
  const memory = openSync('/proc/self/mem', 'r+');
  try {
    const bytes = Buffer.alloc(length);
    readSync(memory, bytes, 0, length, start);
    const beginning = Buffer.from(`${name}=`);
    for (let at = 0; at < length; ) {
      const end = bytes.indexOf(0, at);
      const after = end < 0 ? length : end;
      if (bytes.subarray(at, after).indexOf(beginning) === 0) {
        const from = at + beginning.length;
        writeSync(memory, Buffer.alloc(after - from, ' '), 0, after - from, start + from);
      }
      at = after + 1;
    }
  } finally {
    closeSync(memory);
  }
}

/** Where the environment lies: the 50th and 51st fields of `/proc/PID/stat`. @see proc_pid_stat(5) */
function placeOfEnvironment(): { readonly start: number; readonly length: number } {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [start, end] = [Number(fields[47]), Number(fields[48])];
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start <= 0 || end < start) {
    throw new Error('the place of the environment is not told');
  }
  return { start, length: end - start };
}

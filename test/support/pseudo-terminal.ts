import { execa } from 'execa';
import { onTestFinished } from 'vitest';

/** Runs a command on a pseudo-terminal: what shows goes to standard output, lines of hex digits are typed. */
const RELAY = `
import fcntl, os, pty, select, struct, sys, termios
columns = int(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
typed, isOpen = b"", True
while True:
    ready = select.select([fd] + ([0] if isOpen else []), [], [], 1)[0]
    if fd in ready:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        isOpen = len(data) > 0
        typed += data
        *lines, typed = typed.split(b"\\n")
        for line in lines:
            os.write(fd, bytes.fromhex(line.decode()))
status = os.waitpid(pid, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status) % 256)
`;

/** A program on a pseudo-terminal, and a person before it. */
export interface PseudoTerminal {
  /** All that has shown so far. */
  shown(): string;
  /** Waits until this has shown, from the last such wait on; a limit only so that a test ends. */
  until(pattern: RegExp): Promise<void>;
  /** Types, or pastes, at once. */
  type(text: string): void;
  /** The exit code, once the program has ended. */
  ended(): Promise<number>;
}

export interface PseudoTerminalOptions {
  /** A Python. */
  readonly python: string;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
}

/** Starts a program on a pseudo-terminal of its own; ended when the test is over. */
export function openPseudoTerminal(
  command: readonly string[],
  { python, cwd, env = {}, columns = 80 }: PseudoTerminalOptions,
): PseudoTerminal {
  const child = execa(python, ['-c', RELAY, String(columns), ...command], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: cwd, TERM: 'xterm', ...env },
    extendEnv: false,
    reject: false,
    buffer: false,
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child;
  });
  let shown = '';
  let from = 0;
  child.stdout.on('data', (data: Buffer) => {
    shown += data.toString('utf8');
  });
  return {
    shown: () => shown,
    until: async (pattern) => {
      for (;;) {
        const found = pattern.exec(shown.slice(from));
        if (found !== null) {
          from += found.index + found[0].length;
          return;
        }
        if (child.exitCode !== null) throw new Error(`ended without ${pattern}:\n${shown}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    type: (text) => void child.stdin.write(`${Buffer.from(text).toString('hex')}\n`),
    ended: async () => (await child).exitCode ?? -1,
  };
}

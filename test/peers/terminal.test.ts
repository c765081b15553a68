import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { findPeer, PEERS } from '../support/peer.ts';
import { KEYAUDIT, runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const python = await findPeer('python', 'what shows on a terminal', [join(PEERS, 'python/bin')]);

/** Runs a command on a pseudo-terminal of some width, types a line when asked, and prints what showed. */
const ON_TERMINAL = `
import fcntl, os, pty, select, struct, sys, termios, time
columns, typed = int(sys.argv[1]), sys.argv[2]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])
shown, end, sent = b"", time.time() + 240, False
while time.time() < end and len(shown) < 200000:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    if b"not shown" in shown and not sent:
        time.sleep(0.2)
        os.write(fd, os.environ[typed].encode() + b"\\n")
        sent = True
sys.stdout.buffer.write(shown)
`;

async function onTerminal(
  columns: number,
  args: readonly string[],
  { cwd, env = {}, typed = 'HOME' }: { cwd: string; env?: Record<string, string>; typed?: string },
): Promise<string> {
  const run = await execa(
    python.file,
    ['-c', ON_TERMINAL, String(columns), typed, process.execPath, KEYAUDIT, ...args],
    {
      cwd,
      env: { PATH: process.env.PATH ?? '', HOME: cwd, TERM: 'xterm', ...env },
      extendEnv: false,
    },
  );
  return run.stdout;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told begins with the escape character
const COLOUR = /\u001b\[[\d;]*m/;
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;

describe.skipIf(python.missing)('on a terminal', () => {
  it('shows a spinner and colours; with NO_COLOR no colours; with --quiet no spinner', async () => {
    const cwd = await temporaryFolder();
    const making = await onTerminal(80, ['provision', 'analytics'], { cwd });
    expect(making).toMatch(SPINNER);
    expect(making).toContain('Making the key of analytics');
    const plain = await onTerminal(80, ['verify', 'analytics'], { cwd });
    expect(plain).toMatch(SPINNER);
    expect(plain).toMatch(COLOUR);
    const colourless = await onTerminal(80, ['verify', 'analytics'], { cwd, env: { NO_COLOR: '1' } });
    expect(colourless).toMatch(SPINNER);
    expect(colourless).not.toMatch(COLOUR);
    const quiet = await onTerminal(80, ['verify', 'analytics', '--quiet'], { cwd });
    expect(quiet).not.toMatch(SPINNER);
  });

  it('takes a terminal without a width for no terminal', async () => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'analytics'], { cwd });
    const shown = await onTerminal(0, ['verify', 'analytics'], { cwd });
    expect(shown).toContain('as the profile says');
    expect(shown).not.toMatch(SPINNER);
    expect(shown.length).toBeLessThan(10_000);
  });

  it('takes a key by a prompt that does not show it', async () => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(cwd);
    const { token } = await sandbox.makeKey([
      'balance_read',
      'charge_read',
      'customer_read',
      'invoice_read',
      'subscription_read',
    ]);
    const shown = await onTerminal(
      80,
      ['provision', 'analytics', '--key-api', 'dashboard', '--api-base', sandbox.url],
      {
        cwd,
        env: { PASTED: token },
        typed: 'PASTED',
      },
    );
    expect(shown).toContain('Paste the key for analytics (not shown)');
    expect(shown).toContain('Prove it: keyaudit verify');
    expect(shown).not.toContain(token);
  });
});

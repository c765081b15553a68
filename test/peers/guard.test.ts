import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findPeer, PEERS } from '../support/peer.ts';
import { KEYAUDIT, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const python = await findPeer('python', "the guide's agent through the guard", [join(PEERS, 'python/bin')]);

/** The example agents, which are the guide's: nothing of them changes but the address and the key. */
const AGENTS = [
  {
    name: 'TypeScript',
    missing: false,
    command: [
      process.execPath,
      join(root, 'node_modules/jiti/lib/jiti-cli.mjs'),
      join(root, 'examples/typescript/refund-agent.ts'),
    ],
  },
  {
    name: 'Python',
    missing: python.missing,
    command: [python.file, '-B', join(root, 'examples/python/refund_agent.py')],
  },
];

/** A guard for the refund agent before a sandbox of its own, both as programs. */
async function guarded() {
  const cwd = await temporaryFolder();
  const sandbox = await startSandboxServer(cwd);
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: cwd,
    NO_COLOR: '1',
    KEYAUDIT_API_BASE: sandbox.url,
    KEYAUDIT_TARGET: 'sandbox',
    STRIPE_SECRET_KEY: sandbox.secretKey,
  };
  const child = spawn(
    process.execPath,
    [KEYAUDIT, 'guard', 'refund-agent', '--listen', '127.0.0.1:0', '--format', 'json'],
    { cwd, env },
  );
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const issue = async () => {
    const words = ['guard', 'issue', 'refund-agent', '--store', 'stdout', '--reveal', '--format', 'json'];
    const { stdout } = await execa(process.execPath, [KEYAUDIT, ...words], { cwd, env, extendEnv: false });
    return (JSON.parse(stdout) as { key: string }).key;
  };
  const charge = async () => {
    const response = await fetch(`${sandbox.url}/v1/charges`, {
      method: 'POST',
      headers: { authorization: `Bearer ${sandbox.secretKey}` },
      body: new URLSearchParams({ amount: '4500', currency: 'usd', source: 'tok_visa' }),
    });
    return ((await response.json()) as { id: string }).id;
  };
  return { cwd, url, issue, charge };
}

describe.each(AGENTS)("the guide's agent in $name, through the guard", ({ command, missing }) => {
  it.skipIf(missing)(
    'works with another address and another key, and is stopped where it loses count',
    async () => {
      const { url, issue, charge, cwd } = await guarded();
      const [program = '', ...first] = command;
      const agent = (args: readonly string[], key: string) =>
        execa(program, [...first, ...args], {
          cwd,
          env: { PATH: process.env.PATH ?? '', KEYAUDIT_API_BASE: url, STRIPE_REFUND_AGENT_KEY: key },
          extendEnv: false,
          reject: false,
        });
      const key = await issue();
      const id = await charge();
      const once = await agent([id], key);
      expect(once.exitCode, once.stderr).toBe(0);
      expect(JSON.parse(once.stdout)).toMatchObject({ amount: 4_500, status: 'succeeded' });
      // The same decision has the same idempotency key: Stripe says again what it said.
      expect((await agent([id], key)).stdout).toBe(once.stdout);
      // Another decision on the same charge is another key: this run has made the call.
      const again = await agent([id, 'second-thought'], key);
      expect(again.exitCode).not.toBe(0);
      expect(again.stderr).toContain('stripe_permission_refused');
      // What is beyond the cap of a run: 200.00 usd, of which 180.00 are gone after three more.
      for (let n = 0; n < 3; n++) expect((await agent([await charge()], key)).exitCode).toBe(0);
      const beyond = await agent([await charge()], key);
      expect(beyond.exitCode).not.toBe(0);
      expect(beyond.stderr).toContain('stripe_permission_refused');
    },
  );
});

/** The first run of docs/guard.md, in a folder and on ports of its own. */
async function firstRun() {
  const cwd = await temporaryFolder();
  const text = await readFile(join(root, 'docs/guard.md'), 'utf8');
  const block = /## A first run[\s\S]*?```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const [sandboxPort, guardPort] = [await freePort(), await freePort()];
  const script = block
    .replaceAll('4242', String(sandboxPort))
    .replaceAll('7420', String(guardPort))
    .replaceAll(' &\n', ' &\nSERVERS="$SERVERS $!"\n')
    .replace('guard refund-agent --format', `guard refund-agent --listen 127.0.0.1:${guardPort} --format`);
  await mkdir(join(cwd, 'bin'));
  await writeFile(join(cwd, 'bin/keyaudit'), `#!/bin/sh\nexec '${process.execPath}' '${KEYAUDIT}' "$@"\n`);
  await chmod(join(cwd, 'bin/keyaudit'), 0o755);
  const after = `\ncurl -s http://127.0.0.1:${guardPort}/v1/charges -u "$STRIPE_REFUND_AGENT_KEY:"\nkill $SERVERS\nwait\n`;
  const onEnd = `trap 'kill $SERVERS; exit 1' TERM\n`;
  return execa('sh', ['-c', onEnd + script + after], {
    cwd,
    env: { PATH: `${join(cwd, 'bin')}:${process.env.PATH}`, HOME: cwd, NO_COLOR: '1' },
    extendEnv: false,
    reject: false,
    timeout: 60_000,
  });
}

describe('docs/guard.md', () => {
  it('has a first run that does as it says', async () => {
    // A port that is free may be taken before it is listened on, and the page waits for ever.
    let run = await firstRun();
    for (let more = 0; more < 3 && run.timedOut; more++) run = await firstRun();
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stdout.match(/"object": ?"refund"/g), run.stdout + run.stderr).toHaveLength(1);
    expect(run.stdout.match(/"code":"keyaudit_repeated_call"/g)).toHaveLength(2);
    expect(run.stdout).toMatch(/settle +first +refunds\.create +30\.00 usd/);
    expect(run.stdout).toContain('keyaudit_run_killed');
  });

  it('has a demo that holds what it says', async () => {
    const run = await execa(process.execPath, [join(root, 'scripts/demo-guard.mjs')], { reject: false });
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    expect(run.stdout).toContain('The guard held.');
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { findPeer, PEERS } from '../support/peer.ts';
import { KEYAUDIT, temporaryFolder } from '../support/run-cli.ts';
import { type SandboxServer, startSandboxServer } from '../support/sandbox-server.ts';

const file = (path: string) => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url));

interface Agent {
  readonly name: string;
  readonly missing: boolean;
  readonly command: readonly string[];
}

const python = await findPeer('python', 'the example agent in Python', [join(PEERS, 'python/bin')]);

const agents: readonly Agent[] = [
  {
    name: 'TypeScript',
    missing: false,
    command: [process.execPath, jiti, file('typescript/refund-agent.ts')],
  },
  { name: 'Python', missing: python.missing, command: [python.file, '-B', file('python/refund_agent.py')] },
];

describe.each(agents)('the example agent in $name', ({ command, missing }) => {
  const [program = '', ...first] = command;
  const run = (args: readonly string[], sandbox: SandboxServer, token: string, cwd: string) =>
    execa(program, [...first, ...args], {
      cwd,
      env: { PATH: process.env.PATH ?? '', KEYAUDIT_API_BASE: sandbox.url, STRIPE_REFUND_AGENT_KEY: token },
      extendEnv: false,
      reject: false,
    });
  const charge = async ({ url, secretKey }: SandboxServer) => {
    const response = await fetch(`${url}/v1/charges`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secretKey}` },
      body: new URLSearchParams({ amount: '500', currency: 'usd', source: 'tok_visa' }),
    });
    return ((await response.json()) as { id: string }).id;
  };

  it.skipIf(missing)('refunds once for one decision, however often it asks', async () => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(cwd);
    const { token } = await sandbox.makeKey(['charge_write']);
    const id = await charge(sandbox);
    const once = await run([id], sandbox, token, cwd);
    expect(once.exitCode).toBe(0);
    expect(JSON.parse(once.stdout)).toMatchObject({ amount: 500, status: 'succeeded' });
    expect((await run([id], sandbox, token, cwd)).stdout).toBe(once.stdout);
  });

  it.skipIf(missing)(
    'logs a refusal with operation and permission, raises it, and does not retry',
    async () => {
      const cwd = await temporaryFolder();
      const sandbox = await startSandboxServer(cwd);
      const { token } = await sandbox.makeKey(['charge_read']);
      const refused = await run([await charge(sandbox)], sandbox, token, cwd);
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr).toMatch(/"operation": ?"refunds\.create", ?"permission": ?"charge_write"/);
      expect(refused.stderr.match(/stripe_permission_refused/g)).toHaveLength(1);
      expect(refused.stderr).not.toContain(token);
    },
  );

  it.skipIf(missing)('tries again after a rate limit', async () => {
    const cwd = await temporaryFolder();
    // Requests 1 and 2 make the key and the charge; the third, the agent's first, meets a 429.
    const sandbox = await startSandboxServer(cwd, ['--set', 'lockTimeoutEvery=3']);
    const { token } = await sandbox.makeKey(['charge_write']);
    const made = await run([await charge(sandbox)], sandbox, token, cwd);
    expect(made).toMatchObject({ exitCode: 0 });
  });

  it.skipIf(missing)('takes no key but a restricted one', async () => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(cwd);
    const refused = await run(['ch_1'], sandbox, sandbox.secretKey, cwd);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain('must hold a restricted key');
  });
});

it.skipIf(python.missing)(
  'docs/agents.md runs as it stands, and both examples print one refund',
  async () => {
    const page = await readFile(new URL('../../docs/agents.md', import.meta.url), 'utf8');
    const [, script = ''] = /^```sh\n(npx keyaudit sandbox [\s\S]*?)^```$/m.exec(page) ?? [];
    const cwd = await temporaryFolder();
    // In a clone `npx` finds these two; here they are named. A port may be taken by another test.
    const port = String(await freePort());
    const here = script
      .replaceAll('npx keyaudit', `'${process.execPath}' '${KEYAUDIT}'`)
      .replaceAll('npx jiti', `'${process.execPath}' '${jiti}'`)
      .replaceAll('python3', `'${python.file}' -B`)
      .replaceAll('examples/', `${file('')}`)
      .replaceAll('4242', port);
    const { stdout, stderr, exitCode } = await execa('bash', ['-c', `set -m\n${here}`], {
      cwd,
      env: { PATH: process.env.PATH ?? '', HOME: cwd },
      extendEnv: false,
      reject: false,
    });
    expect([exitCode, stderr.match(/lent to/g)]).toEqual([0, ['lent to', 'lent to']]);
    const refunds = stdout.split('\n').filter((line) => line.startsWith('{"refund"'));
    expect(refunds).toHaveLength(2);
    for (const refund of refunds) expect(JSON.parse(refund)).toEqual(JSON.parse(refunds[0] ?? ''));
    expect(JSON.parse(refunds[0] ?? '')).toMatchObject({ amount: 5000, status: 'succeeded' });
  },
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

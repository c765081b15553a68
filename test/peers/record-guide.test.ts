import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findPeer, PEERS } from '../support/peer.ts';
import { NODE, runCli, runProgram, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const python = await findPeer('python', "the guide's five agents in Python, recorded", [
  join(PEERS, 'python/bin'),
]);
const file = (name: string) => fileURLToPath(new URL(`clients/${name}`, import.meta.url));

const PROFILES = ['refund-agent', 'analytics', 'subscription-manager', 'payment-capture', 'dispute-handler'];

interface Agents {
  readonly name: string;
  readonly missing: boolean;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const agents: readonly Agents[] = [
  {
    name: 'Python, key of the module',
    missing: python.missing,
    command: [python.file, '-B', file('guide_agents.py')],
    env: {},
  },
  {
    name: 'Python, StripeClient',
    missing: python.missing,
    command: [python.file, '-B', file('guide_agents.py')],
    env: { STRIPE_CLIENT: '1' },
  },
  { name: 'Node', missing: false, command: [NODE, file('guide-agents.mjs')], env: {} },
  {
    name: 'Node, fetch client',
    missing: false,
    command: [NODE, file('guide-agents.mjs')],
    env: { FETCH_CLIENT: '1' },
  },
];

async function made(url: string, key: string, path: string, body: Record<string, string>): Promise<string> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: new URLSearchParams(body),
  });
  return ((await response.json()) as { id: string }).id;
}

describe.each(agents)('cases 75 and 81: the agents of the guide in $name', ({ missing, command, env }) => {
  it.skipIf(missing).each(PROFILES)(
    '%s: exactly the grant of the shipped profile, and a replay with that key alone has no 403',
    async (profile) => {
      const cwd = await temporaryFolder();
      const { url, secretKey, makeKey } = await startSandboxServer(cwd);
      const charge = await made(url, secretKey, '/v1/charges', {
        amount: '500',
        currency: 'usd',
        source: 'tok_visa',
      });
      const customer = await made(url, secretKey, '/v1/customers', { name: 'Jane Smith' });
      const run = (key: string, words: readonly string[]) =>
        runProgram([...words, ...command, profile, charge, customer], {
          cwd,
          env: { ...env, KEYAUDIT_API_BASE: url, AGENT_KEY: key },
        });
      const recorded = await run(secretKey, ['record', '--quiet', '--']);
      expect(recorded).toMatchObject({ exitCode: 0, stderr: '' });

      const drafted = await runCli(['record', 'profile', '--as', 'drafted'], { cwd });
      expect(drafted.exitCode, drafted.stderr).toBe(0);
      await writeFile(join(cwd, 'drafted.yaml'), drafted.stdout);
      expect((await runCli(['profiles', 'lint', './drafted.yaml'], { cwd })).exitCode).toBe(0);
      const grantOf = async (name: string) => {
        const { stdout } = await runCli(['plan', name, '--format', 'json'], { cwd });
        return (JSON.parse(stdout) as { permissions: string[] }).permissions;
      };
      const grant = await grantOf('./drafted.yaml');
      expect(grant).toEqual(await grantOf(profile));

      const { token } = await makeKey(grant);
      const replayed = await run(token, ['record', '--quiet', '--name', 'replay', '--']);
      expect(replayed).toMatchObject({ exitCode: 0, stderr: '' });
      const shown = await runCli(['record', 'show', 'replay', '--format', 'json'], { cwd });
      const [replay] = (
        JSON.parse(shown.stdout) as { runs: { unseen: string[]; calls: { status: number }[] }[] }
      ).runs;
      expect(replay?.unseen).toEqual([]);
      expect(replay?.calls.length).toBeGreaterThan(2);
      expect(replay?.calls.filter(({ status }) => status === 403 || status === 401)).toEqual([]);
      // By the hooks nothing of the agent's output changed: it is what the same key gives without them.
      const [program = '', ...args] = command;
      const plain = await runProgram(
        [
          'record',
          '--quiet',
          '--name',
          'plain',
          '--via',
          'base',
          '--',
          program,
          ...args,
          profile,
          charge,
          customer,
        ],
        { cwd, env: { ...env, KEYAUDIT_API_BASE: url, AGENT_KEY: token } },
      );
      expect(plain.stdout).toBe(replayed.stdout);
    },
  );
});

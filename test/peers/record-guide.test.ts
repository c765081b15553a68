import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import PQueue from 'p-queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { findPeer, PEERS } from '../support/peer.ts';
import { catalog, grantOf, profileOf, shippedProfiles } from '../support/profiles.ts';
import { NODE, runCli, runProgram, temporaryFolder } from '../support/run-cli.ts';
import { keyMaker } from '../support/sandbox-server.ts';

const python = await findPeer('python', "the guide's five agents in Python, recorded", [
  join(PEERS, 'python/bin'),
]);
/** Runs TypeScript, in Node's own process. */
const RUNNER = ['--import', import.meta.resolve('jiti/register')];
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
  { name: 'TypeScript', missing: false, command: [NODE, ...RUNNER, file('guide-agents.ts')], env: {} },
  {
    name: 'TypeScript, fetch client',
    missing: false,
    command: [NODE, ...RUNNER, file('guide-agents.ts')],
    env: { FETCH_CLIENT: '1' },
  },
];

/** One for all: what they make in it is their own. */
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ catalog });
});
afterAll(() => sandbox.close());

async function made(path: string, body: Record<string, string>): Promise<string> {
  const response = await fetch(`${sandbox.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sandbox.shownSecretKey}` },
    body: new URLSearchParams(body),
  });
  return ((await response.json()) as { id: string }).id;
}

interface Recording {
  readonly runs: readonly {
    readonly unseen: readonly string[];
    readonly calls: readonly { readonly status: number }[];
  }[];
}

/** What came of one agent: recorded with the secret key, then again with the key of the profile that was drafted. */
async function outcomeOf(profile: string, cwd: string, { command: [program = '', ...args], env }: Agents) {
  const charge = await made('/v1/charges', { amount: '500', currency: 'usd', source: 'tok_visa' });
  const customer = await made('/v1/customers', { name: 'Jane Smith' });
  const words = [...args, profile, charge, customer];
  const environment = (key: string) => ({ ...env, KEYAUDIT_API_BASE: sandbox.url, AGENT_KEY: key });
  const record = (key: string, name: string) =>
    runProgram(['record', '--quiet', '--name', name, '--', program, ...words], {
      cwd,
      env: environment(key),
    });
  const recorded = await record(sandbox.shownSecretKey, profile);
  const drafted = await runCli(['record', 'profile', profile, '--as', `drafted-${profile}`], { cwd });
  const draft = join(cwd, `drafted-${profile}.yaml`);
  await writeFile(draft, drafted.stdout);
  const lint = await runCli(['profiles', 'lint', draft], { cwd });
  const { permissions } = grantOf(profileOf(drafted.stdout));
  const maker = keyMaker(sandbox.url, sandbox.shownSecretKey);
  const { token } = await maker.makeKey(permissions);
  const replayed = await record(token, `replay-${profile}`);
  const plain = await execa(program, words, { cwd, env: environment(token), reject: false });
  const shown = await runCli(['record', 'show', `replay-${profile}`, '--format', 'json'], { cwd });
  const [replay] = (JSON.parse(shown.stdout) as Recording).runs;
  const calls = replay?.calls ?? [];
  return {
    recorded: [recorded.exitCode, recorded.stderr],
    drafted: [drafted.exitCode, lint.exitCode],
    permissions,
    replayed: [replayed.exitCode, replayed.stderr],
    refused: calls.filter(({ status }) => status === 403 || status === 401),
    hasCalls: calls.length > 2,
    unseen: replay?.unseen,
    // By the hooks nothing of the agent's output changed: it is what the same key gives without them.
    isSameOutput: `${plain.stdout}\n` === replayed.stdout,
  };
}

describe('cases 75 and 81: the agents of the guide', () => {
  const grants = new Map(shippedProfiles().map((profile) => [profile.name, grantOf(profile).permissions]));

  for (const agent of agents) {
    it.skipIf(agent.missing)(
      `in ${agent.name}: exactly the grants of the shipped profiles, and a replay with such a key alone has no 403`,
      async () => {
        const cwd = await temporaryFolder();
        const queue = new PQueue({ concurrency: 2 });
        const outcomes = await queue.addAll(
          PROFILES.map((profile) => async () => [profile, await outcomeOf(profile, cwd, agent)] as const),
        );
        expect(Object.fromEntries(outcomes)).toEqual(
          Object.fromEntries(
            PROFILES.map((profile) => [
              profile,
              {
                recorded: [0, ''],
                drafted: [0, 0],
                permissions: grants.get(profile),
                replayed: [0, ''],
                refused: [],
                hasCalls: true,
                unseen: [],
                isSameOutput: true,
              },
            ]),
          ),
        );
      },
    );
  }
});

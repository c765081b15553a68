import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { findPeer, PEERS } from '../support/peer.ts';
import { keyMaker } from '../support/sandbox-server.ts';

const catalog = new Catalog(catalogData);
const clients = fileURLToPath(new URL('clients/', import.meta.url));
const project = fileURLToPath(new URL('../../', import.meta.url));

/** What the programs in clients/ call, and may. */
const CALLED = [
  'charges.create',
  'checkout.sessions.create',
  'coupons.create',
  'customers.create',
  'invoices.create',
  'paymentIntents.create',
  'prices.create',
  'products.create',
  'refunds.create',
  'subscriptions.create',
];
const PERMISSIONS = CALLED.map((name) => catalog.find(name)?.permissions[0] ?? '');
/** What each of the programs prints lines for, at least. */
const FEWEST_STEPS = 15;

interface Row {
  readonly client: string;
  readonly version: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const python = join(PEERS, 'python/bin/python');
const javaPath = (version: string) =>
  [`stripe-java-${version}`, 'gson-2.11.0'].map((jar) => join(PEERS, 'java', `${jar}.jar`)).join(':');
/** Its version of the API no longer takes what the older ones need. */
const NEWEST = { STRIPE_NEWEST: '1' };

const ROWS: readonly Row[] = [
  ...['12.18.0', '17.7.0', '20.4.1'].map((version) => ({
    client: 'stripe-node',
    version,
    command: [process.execPath, join(clients, 'calls.mjs'), join(PEERS, 'stripe-node', version)],
  })),
  {
    client: 'stripe-node',
    version: 'of the project',
    command: [process.execPath, join(clients, 'calls.mjs'), project],
    env: NEWEST,
  },
  ...['7.14.0', '11.6.0'].map((version) => ({
    client: 'stripe-python',
    version,
    command: [python, join(clients, 'calls.py')],
    env: { PYTHONPATH: join(PEERS, 'stripe-python', version) },
  })),
  {
    client: 'stripe-python',
    version: 'of requirements.txt',
    command: [python, join(clients, 'calls.py')],
    env: NEWEST,
  },
  ...['72', '76', '82', '85'].map((version) => ({
    client: 'stripe-go',
    version,
    command: [join(PEERS, 'stripe-go/bin', `calls${version}`)],
  })),
  ...['28.4.0', '30.2.0', '31.4.0', '32.2.0', '33.3.0'].map((version) => ({
    client: 'stripe-java',
    version,
    command: ['java', '-cp', javaPath(version), join(clients, 'Calls.java')],
    ...(version.startsWith('33') ? { env: NEWEST } : {}),
  })),
];

const isInstalled = await access(join(PEERS, 'stripe-go/bin')).then(
  () => true,
  () => false,
);
// In CI a client that could not be installed fails its own row.
if (!isInstalled) await findPeer('calls85', "the sandbox asked by Stripe's clients, four majors of each");

describe.skipIf(!isInstalled)('what an agent does, against the sandbox', () => {
  it.concurrent.each(ROWS)('by $client $version', async ({ command, env }) => {
    const sandbox = await startSandbox({ catalog });
    onTestFinished(() => sandbox.close());
    const { makeKey } = keyMaker(sandbox.url, sandbox.shownSecretKey);
    const { token } = await makeKey([...new Set(PERMISSIONS)]);
    const [file = '', ...args] = command;
    const run = await execa(file, args, {
      env: { PATH: process.env.PATH ?? '', ...env, STRIPE_BASE: sandbox.url, STRIPE_KEY: token },
      extendEnv: false,
      reject: false,
    });
    const steps = run.stdout
      .split('\n')
      .filter((line) => line.includes('\t'))
      .map((line) => line.split('\t'));
    expect(run.stderr).not.toMatch(/rror/);
    expect(steps.filter(([, said]) => said !== '"ok"')).toEqual([]);
    expect(steps.length).toBeGreaterThanOrEqual(FEWEST_STEPS);
    expect(run.exitCode).toBe(0);
  });
});

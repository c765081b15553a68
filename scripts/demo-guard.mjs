// A model that has lost count refunds one charge three times and then helps itself to a new charge: first with a
// restricted key alone, then with a run key of the guard before the same sandbox. Everything happens in a temporary
// folder, and nothing at Stripe is touched. Exits 1 if the guard does not hold what docs/guard.md says of it.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import Stripe from 'stripe';

const keyaudit = fileURLToPath(new URL('../bin/keyaudit.js', import.meta.url));
const cwd = await mkdtemp(join(tmpdir(), 'keyaudit-demo-'));
const children = [];
const say = (text = '') => process.stdout.write(`${text}\n`);
const dollars = (minor) => `${(minor / 100).toFixed(2)} usd`;
const env = { PATH: process.env.PATH, HOME: cwd, XDG_CONFIG_HOME: cwd, NO_COLOR: '1' };

/** A command of keyaudit's that ends. */
async function run(...args) {
  say(`$ keyaudit ${args.join(' ')}`);
  const { stdout } = await execa('node', [keyaudit, ...args], { cwd, env, extendEnv: false });
  return stdout;
}

/** One that serves: its first line says where. */
async function serve(...args) {
  say(`$ keyaudit ${args.join(' ')} &`);
  const child = spawn('node', [keyaudit, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line);
  throw new Error(`keyaudit ${args[0]} ended before it was ready.`);
}

function client(key, url) {
  const { hostname, port } = new URL(url);
  return new Stripe(key, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0 });
}

/** What the model does. Every attempt has an idempotency key of its own, as frameworks make them. @returns codes */
async function loseCount(stripe, charge) {
  const attempt = async (words, call) => {
    const outcome = await call().then(
      ({ id }) => ({ code: 'done', text: `done, ${id}` }),
      (error) => ({ code: error.code ?? error.type, text: error.message }),
    );
    say(`  model: ${words} → ${outcome.text}`);
    return outcome.code;
  };
  const codes = [];
  for (let time = 1; time <= 3; time++) {
    codes.push(
      await attempt('I should refund 30.00 usd', () => stripe.refunds.create({ charge, amount: 3_000 })),
    );
  }
  codes.push(
    await attempt('now I charge 99.00 usd', () =>
      stripe.charges.create({ amount: 9_900, currency: 'usd', source: 'tok_visa' }),
    ),
  );
  return codes;
}

let isAsSaid = false;
try {
  const sandbox = await serve('sandbox', '--port', '0', '--format', 'json');
  Object.assign(env, {
    KEYAUDIT_API_BASE: sandbox.url,
    KEYAUDIT_TARGET: 'sandbox',
    STRIPE_SECRET_KEY: sandbox.secretKey,
  });
  const owner = client(sandbox.secretKey, sandbox.url);
  const newCharge = async () =>
    (await owner.charges.create({ amount: 10_000, currency: 'usd', source: 'tok_visa' })).id;
  const refunded = async (charge) => (await owner.charges.retrieve(charge)).amount_refunded;

  await run('provision', 'refund-agent');
  const stored = await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8');
  const restricted = /^STRIPE_REFUND_AGENT_KEY=(.*)$/m.exec(stored)?.[1];
  say('\nWith a restricted key alone:');
  const first = await newCharge();
  await loseCount(client(restricted, sandbox.url), first);
  const without = await refunded(first);
  say(
    `  refunded: ${dollars(without)}, where a person meant 30.00 usd; and a new charge, which no refund agent should make.`,
  );

  say('\nThrough the guard:');
  const guard = await serve('guard', 'refund-agent', '--listen', '127.0.0.1:0', '--format', 'json');
  const issued = JSON.parse(
    await run(
      'guard',
      'issue',
      'refund-agent',
      '--run',
      'demo',
      '--store',
      'stdout',
      '--reveal',
      '--format',
      'json',
    ),
  );
  const second = await newCharge();
  const agent = client(issued.key, guard.url);
  const codes = await loseCount(agent, second);
  const within = await refunded(second);
  say(`  refunded: ${dollars(within)}, and nothing else.`);

  say('\nAnd stopped:');
  say(await run('guard', 'kill', 'demo'));
  const killed = await agent.charges.retrieve(second).then(
    () => 'done',
    (error) => error.code ?? error.raw?.code,
  );
  say(`  model: let me look again → ${killed}`);
  say(`\n${await run('guard', 'log')}`);
  say(await run('guard', 'log', 'verify'));
  isAsSaid =
    without === 9_000 &&
    within === 3_000 &&
    killed === 'keyaudit_run_killed' &&
    codes.join() === 'done,keyaudit_repeated_call,keyaudit_repeated_call,keyaudit_operation_not_allowed';
} finally {
  for (const child of children.reverse()) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  await rm(cwd, { recursive: true, force: true });
}
say(isAsSaid ? '\nThe guard held.' : '\nThe guard did not hold what docs/guard.md says of it.');
process.exitCode = isAsSaid ? 0 : 1;

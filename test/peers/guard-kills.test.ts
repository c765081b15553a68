import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { SpendBook } from '../../src/core/spend/spend-book.ts';
import { makeRunKey } from '../../src/guard/run-key.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { askGuard } from '../../src/session/guard/guard-client.ts';
import { guardLogFolder } from '../../src/store/guard-log/guard-folder.ts';
import { readGuardLog } from '../../src/store/guard-log/read-guard-log.ts';
import { verifyGuardLog } from '../../src/store/guard-log/verify-guard-log.ts';
import { Chance, SEED } from '../fuzz/chance.ts';
import { guardCatalog, guardScene, profileGrant } from '../support/guard-scene.ts';
import { KEYAUDIT, NODE, temporaryFolder } from '../support/run-cli.ts';
import { keyMaker } from '../support/sandbox-server.ts';

/** 40 here; KEYAUDIT_GUARD_KILLS=500 is a longer run. */
const KILLS = Number(process.env.KEYAUDIT_GUARD_KILLS ?? 40);
const AGENTS = 8;

const PROFILE = `
permissions: { charges: read, refunds: write, payouts: write }
checks: { allow: [charges.list, charges.retrieve, refunds.create, payouts.create] }
accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]
guard: { repeat: allow, caps: [{ per: total, amount: 10000000.00 usd }] }
`;
const ALL = 'sandbox test agent per total total usd';

/** What the folder's log comes to, read as a guard would. */
async function counted(cwd: string): Promise<number> {
  const book = new SpendBook();
  await readGuardLog(guardLogFolder(cwd), (row, _hash, at) => book.apply(row, at));
  return book.ledger.used(ALL);
}

/** Payouts of the sandbox, by amount: each call asks for another one, so that one made twice stands out. */
function payouts(sandbox: Sandbox): readonly number[] {
  return sandbox
    .objects()
    .filter(({ object }) => object === 'payout')
    .map(({ amount }) => Number(amount));
}

const sum = (amounts: readonly number[]) => amounts.reduce((all, one) => all + one, 0);

it(`[case 49] ${KILLS} SIGKILLs under load: the log verifies, nothing that moved is uncounted, no call is made twice`, async () => {
  const sandbox = await startSandbox({ catalog: guardCatalog });
  onTestFinished(() => sandbox.close());
  const cwd = await temporaryFolder();
  const { grant } = profileGrant('agent', PROFILE);
  const { token } = await keyMaker(sandbox.url, sandbox.shownSecretKey).makeKey(grant.permissions);
  const money = { amount: '99999999', currency: 'usd', source: 'tok_bypassPending' };
  const funds = await fetch(`${sandbox.url}/v1/charges`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sandbox.shownSecretKey}` },
    body: new URLSearchParams(money),
  });
  expect(funds.status).toBe(200);
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, 'profiles/agent.yaml'), `name: agent\nenv: AGENT_KEY\n${PROFILE}`);
  const chance = new Chance(SEED);
  const runKey = makeRunKey('test');
  const agents = new Agents(runKey.key.reveal());
  const kinds = { starting: 0, serving: 0, held: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    const child = startGuard(cwd, sandbox.url, token);
    const exited = once(child, 'exit');
    if (kill > 0 && chance.is(0.15)) {
      kinds.starting += 1;
      setTimeout(() => child.kill('SIGKILL'), chance.upTo(900));
    } else {
      kinds.serving += 1;
      const url = await readyUrl(child);
      if (kill === 0) {
        const issue = { profile: 'agent', run: 'run', key: runKey.digest, caps: [], labels: {}, repeats: [] };
        await askGuard(cwd, 'issue', issue);
      }
      // In the middle of whatever the guard does after so many answers.
      const after = chance.upTo(5);
      agents.begin(url, chance.upTo(120), () => setTimeout(() => child.kill('SIGKILL'), after));
    }
    await exited;
    await agents.end();
    const { problems } = await verifyGuardLog(guardLogFolder(cwd));
    expect(problems, `kill ${kill}, seed ${SEED}`).toEqual([]);
    const made = payouts(sandbox);
    expect(new Set(made).size, `kill ${kill}: a payout was made twice`).toBe(made.length);
    expect(await counted(cwd), `kill ${kill}, seed ${SEED}`).toBeGreaterThanOrEqual(sum(made));
  }
  // Stripe tells what became of the rest, once all has ended.
  const scene = await guardScene({
    profiles: { agent: PROFILE },
    upstream: sandbox.url,
    upstreamKey: async () => token,
    folder: guardLogFolder(cwd),
    now: Date.now() + 600_000,
  });
  const { store } = scene.guard;
  kinds.held = store.book.open.size;
  for (let round = 0; round < 3 && store.book.open.size > 0; round++) await scene.reconcile();
  const calls = { asked: agents.asked, made: payouts(sandbox).length };
  console.log(`${KILLS} kills, seed ${SEED}: ${JSON.stringify({ ...kinds, ...calls })}`);
  expect(calls.made).toBeGreaterThan(KILLS);
  if (store.book.open.size === 0) expect(store.book.ledger.used(ALL)).toBe(sum(payouts(sandbox)));
  await scene.stop();
  expect((await verifyGuardLog(guardLogFolder(cwd))).problems).toEqual([]);
});

function startGuard(cwd: string, apiBase: string, key: string): ChildProcess {
  const words = ['guard', 'agent', '--listen', '127.0.0.1:0', '--format', 'json'];
  const child = spawn(NODE, [KEYAUDIT, ...words, '--target', 'sandbox', '--api-base', apiBase], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: cwd, NO_COLOR: '1', AGENT_KEY: key },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return child;
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(said.join(''))));
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [
    string,
  ];
  ended.catch(() => {});
  return (JSON.parse(line) as { url: string }).url;
}

/** Calls that go on until the guard is gone, each for another amount; what got no answer is asked again, as SDKs do. */
class Agents {
  readonly #key: string;
  #next = 1;
  #left = 0;
  #then = () => {};
  #unanswered: number[] = [];
  #ending: Promise<unknown> = Promise.resolve();

  constructor(key: string) {
    this.#key = key;
  }

  get asked(): number {
    return this.#next - 1;
  }

  /** @param then called once so many calls have been answered */
  begin(url: string, answers: number, then: () => void): void {
    this.#left = answers;
    this.#then = then;
    const again = this.#unanswered.splice(0);
    this.#ending = Promise.all(Array.from({ length: AGENTS }, () => this.#agent(url, again)));
  }

  async end(): Promise<void> {
    await this.#ending;
  }

  async #agent(url: string, again: number[]): Promise<void> {
    for (;;) {
      const amount = again.pop() ?? this.#next++;
      try {
        const response = await fetch(`${url}/v1/payouts`, {
          method: 'POST',
          headers: { authorization: `Bearer ${this.#key}`, 'idempotency-key': `payout-${amount}` },
          body: new URLSearchParams({ amount: String(amount), currency: 'usd' }),
        });
        await response.text();
        if (this.#left-- === 0) this.#then();
        if (response.status >= 500 || response.status === 409) this.#unanswered.push(amount);
      } catch {
        this.#unanswered.push(amount);
        return;
      }
    }
  }
}

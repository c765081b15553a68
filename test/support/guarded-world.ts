import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { execa, type Result } from 'execa';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { askGuard } from '../../src/session/guard/guard-client.ts';
import { guardLogFolder } from '../../src/store/guard-log/guard-folder.ts';
import { GuardLog } from '../../src/store/guard-log/guard-log.ts';
import { type Between, openBetween } from './between.ts';
import { KEYAUDIT, NODE } from './run-cli.ts';

/** What an agent says of one call. */
export interface AgentLine {
  readonly step: string;
  readonly class?: string;
  readonly status?: number;
  readonly code?: string;
  readonly message?: string;
  readonly id?: string;
}

interface WorldOptions {
  /** The profile `matrix`. */
  readonly profile: string;
  /** Programs that take the names of stages on standard input, and print a line for each call. */
  readonly agents: readonly { readonly name: string; readonly command: readonly string[] }[];
  readonly curl: string;
  readonly cli: string;
}

/** What was seen of agents → front → guard → back → sandbox, all of which stood once. */
export interface GuardedWorld {
  readonly lines: ReadonlyMap<string, readonly AgentLine[]>;
  readonly byCurl: readonly AgentLine[];
  readonly byCli: readonly { readonly object?: string; readonly code?: string }[];
  /** How often the guard was asked with this name on the call. */
  attempts(tag: string): number;
  /** The refunds of the sandbox with this name. */
  refunds(tag: string): readonly unknown[];
  readonly drained: { readonly status: number; readonly exitCode: number | null };
  readonly verified: Result;
  readonly reconciled: Result;
  readonly books: { readonly counted: number; readonly moved: number };
  close(): Promise<void>;
}

/** Starts everything, lets every agent do its calls, and ends the guard while one of them is at Stripe. */
export async function guardedWorld({ profile, agents, curl, cli }: WorldOptions): Promise<GuardedWorld> {
  const cwd = await mkdtemp(join(tmpdir(), 'keyaudit-world-'));
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, 'profiles', 'matrix.yaml'), profile);
  const sandbox = await startSandbox({ catalog: new Catalog(catalogData), behaviour: {} });
  const kills = new Map<string, string>();
  const kill = (tag: string) => askGuard(cwd, 'kill', { name: kills.get(tag) ?? '', waitMs: 0 });
  const held = new Map<string, () => void>();
  const back = await openBetween(sandbox.url, mischief(kill, held));
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: cwd,
    NO_COLOR: '1',
    KEYAUDIT_API_BASE: back.url,
    KEYAUDIT_TARGET: 'sandbox',
    STRIPE_SECRET_KEY: sandbox.shownSecretKey,
  };
  const keyaudit = (...words: string[]) =>
    execa(NODE, [KEYAUDIT, ...words], { cwd, env, extendEnv: false, reject: false });
  const guard = spawn(NODE, [KEYAUDIT, 'guard', 'matrix', '--listen', '127.0.0.1:0', '--format', 'json'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [first] = (await once(createInterface({ input: guard.stdout }), 'line')) as [string];
  const front = await openBetween((JSON.parse(first) as { url: string }).url, lostAnswers(held));
  const issue = async (run: string) => {
    const words = [
      'guard',
      'issue',
      'matrix',
      '--run',
      run,
      '--store',
      'stdout',
      '--reveal',
      '--format',
      'json',
    ];
    return (JSON.parse((await keyaudit(...words)).stdout) as { key: string }).key;
  };
  const stripe = direct(sandbox);
  await stripe.plant();
  const killedKey = await issue('killed');
  await askGuard(cwd, 'kill', { name: 'killed', waitMs: 0 });
  const running: Agent[] = [];
  for (const { name, command } of agents) {
    const KILLME = await issue(`${name}-killme`);
    kills.set(`${name}-killed-on-its-way`, `${name}-killme`);
    const own = {
      BASE: front.url,
      KEY: await issue(name),
      KILLED: killedKey,
      KILLME,
      CHARGE: await stripe.charge('usd'),
      EURO: await stripe.charge('eur'),
      CLIENT: name,
    };
    running.push(new Agent(name, command, { ...env, ...own }));
  }
  const all = (stage: string) => Promise.all(running.map((agent) => agent.do(stage)));
  const hand = { url: front.url, key: await issue('by-hand'), cwd };
  const byHand = Promise.all([
    curl === '' ? [] : askByCurl(curl, { ...hand, charge: await stripe.charge('usd') }),
    cli === '' ? [] : askByCli(cli, { ...hand, charge: await stripe.charge('usd') }),
  ]);
  await all('calls');
  const [byCurl, byCli] = await byHand;
  await back.down();
  await all('unreachable');
  await back.up();
  const drained = await drain(guard, hand, {
    held,
    stages: () => all('unavailable'),
    charge: await stripe.charge('usd'),
  });
  const verified = await keyaudit('guard', 'log', 'verify', '--format', 'json');
  const reconciled = await keyaudit('guard', 'reconcile', '--format', 'json');
  const { log, book } = await GuardLog.open({ folder: guardLogFolder(cwd), now: Date.now });
  await log.close();
  const refunds = () => sandbox.objects().filter(({ object }) => object === 'refund');
  const sum = (values: Iterable<number>) => [...values].reduce((total, one) => total + one, 0);
  return {
    lines: new Map(running.map(({ name, lines }) => [name, lines])),
    byCurl,
    byCli,
    attempts: (tag) => front.count(tag),
    refunds: (tag) =>
      refunds().filter(({ metadata }) => (metadata as { step?: string } | undefined)?.step === tag),
    drained,
    verified,
    reconciled,
    books: {
      counted: sum(book.counters().values()),
      moved: sum(refunds().map(({ amount }) => Number(amount))),
    },
    close: async () => {
      for (const agent of running) agent.end();
      await Promise.all([front.close(), back.close(), sandbox.close()]);
      await rm(cwd, { recursive: true, force: true });
    },
  };
}

/** What becomes of a call between guard and Stripe, by its name. */
function mischief(kill: (tag: string) => Promise<unknown>, held: Map<string, () => void>): Between {
  return {
    before: async (tag, count) => {
      if (tag.endsWith('-stripe-busy') && count === 1) return 'busy';
      if (tag.endsWith('-killed-on-its-way')) await kill(tag);
      return undefined;
    },
    after: async (tag, count) => {
      if (tag.endsWith('-stripe-cut') && count === 1) return 'cut';
      if (tag.endsWith('-outcome-unknown')) return 'cut';
      // Answered when the front has seen what the agent does in the meantime.
      if (/-(?:in-flight|too-late|drain)$/.test(tag) && count === 1) {
        await new Promise<void>((resolve) => held.set(tag, resolve));
      }
      return undefined;
    },
  };
}

function lostAnswers(held: Map<string, () => void>): Between {
  return {
    after: async (tag, count, status) => {
      if (tag.endsWith('-answer-lost') && count === 1) return 'lost';
      if (tag.endsWith('-in-flight') && status === 409) held.get(tag)?.();
      return undefined;
    },
    gone: (tag) => {
      if (tag.endsWith('-too-late')) held.get(tag)?.();
    },
  };
}

/** An agent that does its calls stage by stage. */
class Agent {
  readonly name: string;
  readonly lines: AgentLine[] = [];
  readonly #child: ChildProcess;
  readonly #output: Interface;

  constructor(name: string, [program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv) {
    this.name = name;
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#output = createInterface({ input: child.stdout });
  }

  async do(stage: string): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      const take = (text: string) => {
        const line = JSON.parse(text) as AgentLine;
        if (line.step === 'end') {
          this.#output.off('line', take);
          resolve();
        } else this.lines.push(line);
      };
      this.#output.on('line', take);
      this.#child.once('exit', (code) => reject(new Error(`${this.name} ended with ${code} in ${stage}`)));
    });
    this.#child.stdin?.write(`${stage}\n`);
    await ended;
  }

  end(): void {
    this.#child.removeAllListeners('exit');
    this.#child.stdin?.end();
  }
}

/** Ends the guard while a call is at Stripe: it is answered, and what comes meanwhile is told to come again. */
async function drain(
  guard: ChildProcess,
  { url, key }: { readonly url: string; readonly key: string },
  more: {
    readonly held: Map<string, () => void>;
    readonly stages: () => Promise<unknown>;
    readonly charge: string;
  },
): Promise<GuardedWorld['drained']> {
  const { held, stages, charge } = more;
  const post = () =>
    fetch(`${url}/v1/refunds`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: new URLSearchParams({ charge, amount: '112', 'metadata[step]': 'last-drain' }),
    });
  const until = async (is: () => boolean | Promise<boolean>) => {
    while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const last = post();
  await until(() => held.has('last-drain'));
  const exited = once(guard, 'exit') as Promise<[number | null]>;
  guard.kill('SIGTERM');
  await until(async () => (await fetch(`${url}/v1/charges`)).status === 503);
  await stages();
  held.get('last-drain')?.();
  const { status } = await last;
  const [exitCode] = await exited;
  return { status, exitCode };
}

/** The sandbox by its own secret key. */
function direct({ url, shownSecretKey }: Sandbox) {
  const post = async (path: string, body: Record<string, string> | string) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${shownSecretKey}`,
        ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      },
      body: typeof body === 'string' ? body : new URLSearchParams(body),
    });
    const made = (await response.json()) as { id: string };
    if (!response.ok) throw new Error(JSON.stringify(made));
    return made.id;
  };
  let customer = '';
  return {
    /** Five customers, and three destinations of v2. */
    plant: async () => {
      for (let n = 0; n < 5; n++) customer = await post('/v1/customers', { name: `c${n}` });
      for (let n = 0; n < 3; n++) {
        const destination = {
          name: `d${n}`,
          type: 'webhook_endpoint',
          event_payload: 'thin',
          enabled_events: ['v1.billing.meter.no_meter_found'],
          webhook_endpoint: { url: 'https://example.com/hook' },
        };
        await post('/v2/core/event_destinations', JSON.stringify(destination));
      }
    },
    charge: (currency: string) =>
      post('/v1/charges', { amount: '1000000', currency, source: 'tok_visa', customer }),
  };
}

interface Hand {
  readonly url: string;
  readonly key: string;
  readonly charge: string;
  readonly cwd: string;
}

async function askByCurl(curl: string, { url, key, charge }: Hand): Promise<readonly AgentLine[]> {
  const ask = async (
    step: string,
    path: string,
    form: readonly string[],
    bearer = key,
  ): Promise<AgentLine> => {
    const words = ['-sS', '--config', '-', '-w', '\\n%{http_code}', ...form.flatMap((one) => ['-d', one])];
    const who = step === 'prefix' ? `user = "${bearer}:"` : `header = "Authorization: Bearer ${bearer}"`;
    const { stdout } = await execa(curl, [...words, `${url}${path}`], { input: who });
    const at = stdout.lastIndexOf('\n');
    const { error } = JSON.parse(stdout.slice(0, at)) as { error?: { code: string } };
    return {
      step,
      status: Number(stdout.slice(at + 1)),
      ...(error === undefined ? {} : { code: error.code }),
    };
  };
  const refund = [`charge=${charge}`, 'amount=201'];
  return [
    await ask('refund', '/v1/refunds', refund),
    await ask('prefix', '/stripe/v1/charges', []),
    await ask('over-cap', '/v1/refunds', [`charge=${charge}`, 'amount=999999']),
    await ask('again', '/v1/refunds', refund),
    await ask('unknown', '/v1/ponies', ['a=1']),
    await ask('twice', '/v1/refunds', [...refund, 'amount=5']),
    await ask('no run', '/v1/charges', [], 'rk_guard_test_none'),
  ];
}

async function askByCli(
  cli: string,
  { url, key, charge, cwd }: Hand,
): Promise<readonly { readonly object?: string; readonly code?: string }[]> {
  const ask = async (words: readonly string[], bearer = key) => {
    const { stdout, stderr } = await execa(cli, [...words, '--api-base', url], {
      cwd,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: cwd,
        STRIPE_API_KEY: bearer,
        STRIPE_CLI_TELEMETRY_OPTOUT: '1',
      },
      extendEnv: false,
      reject: false,
    });
    const code = /keyaudit_\w+/.exec(stdout + stderr)?.[0];
    const object = /"object": ?"(\w+)"/.exec(stdout)?.[1];
    return code === undefined ? { object: object ?? stdout + stderr } : { code };
  };
  return [
    await ask(['refunds', 'create', `--charge=${charge}`, '--amount=202']),
    await ask(['get', '/v1/charges']),
    await ask([
      'post',
      '/v1/refunds',
      '-d',
      `charge=${charge}`,
      '-d',
      'amount=999999',
      '-d',
      'metadata[step]=cli-over-cap',
    ]),
    await ask(['post', '/v1/charges', '-d', 'amount=5', '-d', 'currency=usd']),
    await ask(['get', '/v1/charges'], 'rk_test_51NoRunKeyOfThisGuard'),
  ];
}

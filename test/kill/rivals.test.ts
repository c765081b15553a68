import { watch } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sealOf } from '../../src/store/notes/seal.ts';
import { openUserKey } from '../../src/store/notes/user-key.ts';
import { KEYAUDIT, NODE, temporaryFolder } from '../support/run-cli.ts';
import { type SandboxServer, startSandboxServer } from '../support/sandbox-server.ts';
import { AT_ONCE } from '../support/scene.ts';
import { journalSteps } from './kill-run.ts';

// Two processes at once, one that freezes, servers that act late, stores that fail, dawdle or lie. Afterwards there is
// one published key that works and that the store gives back, none that nobody knows, and nothing is recorded as dead
// that answers.

const VARIABLE = 'STRIPE_RIVAL_KEY';

interface Site {
  readonly cwd: string;
  readonly sandbox: SandboxServer;
  /** Where the commands send; the sandbox itself, or what stands before it. */
  readonly url: string;
  start(args: readonly string[], env?: Readonly<Record<string, string>>): ReturnType<typeof started>;
}

function started(cwd: string, url: string, secretKey: string, args: readonly string[], env = {}) {
  return execa(NODE, [KEYAUDIT, ...args, '--target', 'sandbox', '--api-base', url], {
    cwd,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: cwd,
      NO_COLOR: '1',
      STRIPE_SECRET_KEY: secretKey,
      ...env,
    },
    extendEnv: false,
    reject: false,
    all: true,
  });
}

async function site(front?: (sandbox: SandboxServer) => Promise<string>): Promise<Site> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  await writeFile(
    join(cwd, 'profiles/rival.yaml'),
    `name: rival\nenv: ${VARIABLE}\npermissions:\n  customers: read\n`,
  );
  const sandbox = await startSandboxServer(await temporaryFolder(), AT_ONCE);
  const url = front === undefined ? sandbox.url : await front(sandbox);
  return { cwd, sandbox, url, start: (args, env) => started(cwd, url, sandbox.secretKey, args, env) };
}

interface Known {
  readonly id: string;
  readonly status: string;
}

/** What is wrong once everything has ended; empty when all is well. */
async function wrongAt({ cwd, sandbox }: Site, read: () => Promise<string | undefined>): Promise<string[]> {
  const response = await fetch(`${sandbox.url}/v2/iam/api_keys?limit=100&include_expired=true`, {
    headers: { authorization: `Bearer ${sandbox.secretKey}`, 'stripe-version': '2026-08-26.preview' },
  });
  const { data } = (await response.json()) as {
    data: { id: string; name: string; status: string; secret_key: { token: string } }[];
  };
  const ours = data.filter(({ name }) => name.startsWith('keyaudit/rival/'));
  const active = ours.filter(({ status }) => status === 'active');
  const text = await readFile(join(cwd, '.keyaudit/keys.json'), 'utf8').catch(() => '{"keys":[]}');
  const { keys } = JSON.parse(text) as { keys: Known[] };
  const journal = await readFile(join(cwd, '.keyaudit/journal.json'), 'utf8').catch(() => '');
  const stored = await read();
  const problems: string[] = [];
  for (const { id } of active) {
    if (!keys.some((key) => key.id === id) && !journal.includes(id)) problems.push(`unknown key ${id}`);
    if (keys.some((key) => key.id === id && key.status === 'revoked')) problems.push(`${id} is called dead`);
  }
  if (!active.some(({ secret_key }) => secret_key.token === stored)) {
    problems.push(`the store gives back ${stored === undefined ? 'nothing' : 'no working key'}`);
  }
  return problems;
}

const envFile = (cwd: string) => async () =>
  new RegExp(`^${VARIABLE}=(.*)$`, 'm').exec(
    await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8').catch(() => ''),
  )?.[1];

const activeCount = async ({ sandbox }: Site) => {
  const response = await fetch(`${sandbox.url}/v2/iam/api_keys?limit=100`, {
    headers: { authorization: `Bearer ${sandbox.secretKey}`, 'stripe-version': '2026-08-26.preview' },
  });
  return ((await response.json()) as { data: unknown[] }).data.length;
};

describe('two at once', () => {
  it.each([
    ['rotate', 'rotate'],
    ['rotate', 'provision'],
    ['rotate', 'revoke'],
  ])('%s and %s: the second waits, and each ends what it should', async (one, other) => {
    const here = await site();
    expect((await here.start(['provision', 'rival'])).exitCode).toBe(0);
    const again = other === 'provision' ? ['--again'] : [];
    const runs = await Promise.all([here.start([one, 'rival']), here.start([other, 'rival', ...again])]);
    await here.start(['keys', 'clean-up']);
    const codes = runs.map(({ exitCode }) => exitCode);
    if (other === 'revoke') {
      // Whichever came first: afterwards there is no key, or the one that the rotation refused to make.
      // After the rotation nobody has the old key's secret: where it was seen narrowed and not yet dead, nobody can tell.
      for (const code of codes) expect([0, 3]).toContain(code);
      expect(await activeCount(here)).toBe(0);
      return;
    }
    expect(codes).toEqual([0, 0]);
    expect(await wrongAt(here, envFile(here.cwd))).toEqual([]);
    if (other === 'rotate') expect(await activeCount(here)).toBe(1);
  });

  it('provision and provision: the second sees what the first has made, and makes none', async () => {
    const here = await site();
    const runs = await Promise.all([here.start(['provision', 'rival']), here.start(['provision', 'rival'])]);
    expect(runs.map(({ exitCode }) => exitCode).sort()).toEqual([0, 2]);
    expect(await wrongAt(here, envFile(here.cwd))).toEqual([]);
    expect(await activeCount(here)).toBe(1);
  });
});

describe('a rotation that freezes', () => {
  it.each([4, 8, 12, 16, 20, 24, 28, 32])(
    'at change %i of our files, while another rotates, and then goes on',
    async (change) => {
      const here = await site();
      expect((await here.start(['provision', 'rival'])).exitCode).toBe(0);
      const first = here.start(['rotate', 'rival']);
      let changes = 0;
      const watcher = watch(join(here.cwd, '.keyaudit'), () => {
        if (++changes === change) first.kill('SIGSTOP');
      });
      onTestFinished(() => {
        first.kill('SIGCONT');
        first.kill('SIGKILL');
      });
      const isOver = first.then(() => true);
      const isFrozen = async () => {
        while (changes < change) await delay(20);
        return false;
      };
      await Promise.race([isOver, isFrozen()]);
      watcher.close();
      const second = await here.start(['rotate', 'rival']);
      first.kill('SIGCONT');
      const ended = await first;
      const cleaned = await here.start(['keys', 'clean-up']);
      const said = `${ended.all}\n${second.all}\n${cleaned.all}`;
      expect([await wrongAt(here, envFile(here.cwd)), said]).toEqual([[], said]);
      expect([second.exitCode, said]).toEqual([0, said]);
      expect(await activeCount(here)).toBe(1);
    },
  );
});

/** Takes each request for a new key, breaks the connection, and sends it on only later. */
async function lateFront(sandbox: SandboxServer, lateMs: number): Promise<string> {
  const front = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const isCreate = incoming.method === 'POST' && incoming.url === '/v2/iam/api_keys';
      const send = (answered: boolean) => {
        const { method, headers } = incoming;
        const sent = request(new URL(incoming.url ?? '/', sandbox.url), { method, headers }, (answer) => {
          if (!answered) return void answer.resume();
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        sent.on('error', () => response.destroy());
        sent.end(Buffer.concat(chunks));
      };
      if (!isCreate) return send(true);
      response.writeHead(504).end('{}');
      setTimeout(() => send(false), lateMs);
    });
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    front.closeAllConnections();
    front.close();
  });
  return `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
}

it('a key that comes to be after the search for it is ended by a later command', async () => {
  const here = await site((sandbox) => lateFront(sandbox, 2_000));
  const failed = await here.start(['provision', 'rival']);
  expect(failed).toMatchObject({ exitCode: 3 });
  expect(failed.all.replace(/\s+/g, ' ')).toContain('A key may come to be all the same');
  expect((await here.start(['keys', 'clean-up'])).exitCode).toBe(3);
  await delay(2_500);
  expect(await activeCount(here)).toBe(1);
  const cleaned = await here.start(['keys', 'clean-up']);
  expect(cleaned).toMatchObject({ exitCode: 0, all: expect.stringContaining('which nobody knew of') });
  expect(await activeCount(here)).toBe(0);
});

it('a rotation that dies between publishing and its grace keeps the grace', async () => {
  const here = await site();
  expect((await here.start(['provision', 'rival'])).exitCode).toBe(0);
  const before = await envFile(here.cwd)();
  const rotating = here.start(['rotate', 'rival', '--grace', '1h']);
  // The store takes the new secret in the very step after which it is killed.
  const watcher = watch(join(here.cwd, '.keyaudit'), (_event, name) => {
    if (name === 'keys.env') rotating.kill('SIGKILL');
  });
  await rotating;
  watcher.close();
  const cleaned = await here.start(['keys', 'clean-up']);
  expect(cleaned.all.replace(/\s+/g, ' ')).toContain('goes on working until');
  expect(await activeCount(here)).toBe(2);
  const statusOf = async (token: string | undefined) =>
    (await fetch(`${here.url}/v1/customers`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await statusOf(before), await statusOf(await envFile(here.cwd)())]).toEqual([200, 200]);
});

/** What a killed process left, as if it had been begun on another machine that shares folder and home. */
async function moveToAnotherHost(cwd: string): Promise<number> {
  const file = join(cwd, '.keyaudit/journal.json');
  const text = await readFile(file, 'utf8').catch(() => '{"version":1,"entries":[]}');
  const journal = JSON.parse(text) as { entries: { owner: object; seal?: string }[] };
  const key = await openUserKey({ HOME: cwd });
  const entries = journal.entries.map(({ seal: _seal, ...entry }) => {
    const moved = { ...entry, owner: { ...entry.owner, host: 'another-machine', kernel: 'another' } };
    return { ...moved, seal: sealOf(key, 'journal', moved) };
  });
  if (entries.length > 0) await writeFile(file, JSON.stringify({ ...journal, entries }));
  return entries.length;
}

describe('what a rotation on another host left', () => {
  it.each([12, 20, 24, 28])(
    'when it was killed at change %i: named, left alone, and ended only by --take-over',
    async (change) => {
      const here = await site();
      expect((await here.start(['provision', 'rival'])).exitCode).toBe(0);
      const first = here.start(['rotate', 'rival']);
      let changes = 0;
      const watcher = watch(join(here.cwd, '.keyaudit'), () => {
        if (++changes === change) first.kill('SIGKILL');
      });
      await first;
      watcher.close();
      const left = await moveToAnotherHost(here.cwd);
      const before = await activeCount(here);
      // Its last sign of life is too fresh to be called its last.
      await delay(2_500);
      const named = await here.start(['keys', 'clean-up']);
      expect(await activeCount(here)).toBe(before);
      if (left > 0) expect(named.all.replace(/\s+/g, ' ')).toContain('was begun on another-machine');
      const taken = await here.start(['keys', 'clean-up', '--take-over', '--yes']);
      // A create whose end nobody saw may still take effect, so it stays in the journal for a day.
      const isLookedFor =
        taken.exitCode === 3 && (await journalSteps(here.cwd)).every((step) => step === 'creating');
      if (!isLookedFor) expect(taken).toMatchObject({ exitCode: 0 });
      expect((await here.start(['keys', 'clean-up'])).exitCode).not.toBe(2);
      expect(await wrongAt(here, envFile(here.cwd))).toEqual([]);
    },
  );
});

describe('a store', () => {
  const KEEP = 'cat > vault.new && mv vault.new vault';
  it.each([
    ['that fails before it takes the secret', 'exec:exit 1'],
    ['that takes it and fails', `exec:${KEEP}; exit 1`],
    ['that is slow', `exec:sleep 2; ${KEEP}`],
    ['that lies', 'exec:cat > /dev/null'],
    ['that gives another secret back', 'exec:cat > /dev/null; echo rk_test_plainlyFakePlainlyFake > other'],
  ])('%s, while two rotate and one is killed', async (_name, store) => {
    const here = await site();
    const vault = async () => readFile(join(here.cwd, 'vault'), 'utf8').catch(() => undefined);
    const reading = ['--read-back', 'cat vault'];
    const first = await here.start(['provision', 'rival', '--store', `exec:${KEEP}`, ...reading]);
    expect(first.exitCode).toBe(0);
    const one = here.start(['rotate', 'rival', '--store', store, ...reading]);
    const two = here.start(['rotate', 'rival', '--store', store, ...reading]);
    setTimeout(() => one.kill('SIGKILL'), 1_500);
    await Promise.all([one, two]);
    await here.start(['keys', 'clean-up']);
    expect(await wrongAt(here, vault)).toEqual([]);
  });
});

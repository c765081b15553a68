import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hostileServer } from '../support/hostile-server.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { type SandboxServer, startSandboxServer } from '../support/sandbox-server.ts';
import { AT_ONCE, scene } from '../support/scene.ts';

// "Not found here" is not "dead", no key of another account takes the place of one, and a publication that may
// have failed ends neither key.

interface Recorded {
  readonly keys: readonly { readonly id: string; readonly status: string; readonly mode: string }[];
}

async function recordsOf(cwd: string): Promise<Recorded['keys']> {
  return (JSON.parse(await readFile(join(cwd, '.keyaudit/keys.json'), 'utf8')) as Recorded).keys;
}

describe('a command about another place than the key', () => {
  const id = async (cwd: string) => (await recordsOf(cwd))[0]?.id ?? '';

  it.each([
    ['revoke by profile', async () => ['revoke', 'refund-agent']],
    ['revoke by id', async (cwd: string) => ['revoke', await id(cwd)]],
    ['rotate', async () => ['rotate', 'refund-agent']],
  ] as const)('%s: another server is refused, and nothing is asked there', async (_name, argsOf) => {
    const { run, cwd, stored, statusOf, sandbox } = await scene();
    await run(['provision', 'refund-agent']);
    const token = (await stored()) ?? '';
    const other = await hostileServer((_request, response) => {
      response.statusCode = 404;
      response.end('{"error":{"code":"not_found","message":"No such api key"}}');
    });
    const refused = await runCli([...(await argsOf(cwd)), '--api-base', other.url], {
      cwd,
      env: { STRIPE_SECRET_KEY: sandbox.secretKey },
    });
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    const text = refused.stderr.replace(/\s+/g, ' ');
    expect(text).toContain(`is of sandbox at ${sandbox.url} in test mode`);
    expect(text).toContain(`this command is about sandbox at ${other.url} in test mode`);
    expect(other.requests).toEqual([]);
    expect(await stored()).toBe(token);
    expect(await statusOf(token)).toBe(200);
    expect((await recordsOf(cwd)).map(({ status }) => status)).toEqual(['active']);
  });

  it.each([
    ['another connected account', ['--account', 'acct_other'], {}],
    ['another mode', ['--live'], { STRIPE_SECRET_KEY: 'sk_live_plainlyFakePlainlyFake' }],
  ] as const)('%s is refused, by revoke and by rotate', async (_name, flags, env) => {
    const { run, cwd, stored, statusOf } = await scene();
    await run(['provision', 'refund-agent']);
    const token = (await stored()) ?? '';
    for (const verb of ['revoke', 'rotate']) {
      const refused = await run([verb, 'refund-agent', ...flags], { env });
      expect(refused, verb).toMatchObject({ exitCode: 2, stdout: '' });
      expect(refused.stderr.replace(/\s+/g, ' ')).toMatch(
        /is of .* in test mode, account acct_\w+, and this command is about/,
      );
    }
    expect(await stored()).toBe(token);
    expect(await statusOf(token)).toBe(200);
    expect((await recordsOf(cwd)).map(({ status }) => status)).toEqual(['active']);
  });
});

/**
 * One address, two accounts: the secret key says which.
 * @param isSaid whether the front says which account asks; the two sandboxes themselves bear one id
 */
async function twoAccounts(
  cwd: string,
  isSaid: boolean,
): Promise<{ url: string; mine: SandboxServer; other: SandboxServer }> {
  const mine = await startSandboxServer(cwd, AT_ONCE);
  const other = await startSandboxServer(await temporaryFolder(), AT_ONCE);
  if (mine.secretKey === other.secretKey) throw new Error('the two accounts share a secret key');
  const front = createServer((incoming, response) => {
    const isOther = incoming.headers.authorization?.includes(other.secretKey) ?? false;
    const { method, headers } = incoming;
    if (incoming.url === '/v1/account') {
      response.statusCode = isSaid ? 200 : 403;
      const id = isOther ? 'acct_1Other' : 'acct_1Mine';
      response.end(
        JSON.stringify(isSaid ? { object: 'account', id } : { error: { message: 'not for you' } }),
      );
      return;
    }
    const sent = request(
      new URL(incoming.url ?? '/', isOther ? other.url : mine.url),
      { method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    sent.on('error', () => response.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    front.closeAllConnections();
    front.close();
  });
  return { url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`, mine, other };
}

describe('two accounts behind one front', () => {
  it.each([
    ['revoke', true, 2, 'account acct_1Mine, and this command is about'],
    ['rotate', true, 2, 'test mode, account acct_1Other'],
    ['revoke', false, 3, 'may live in another account'],
    ['rotate', false, 3, 'is of another account'],
  ])('%s with the secret key of the other changes nothing (account said: %s): exit %i', async (...row) => {
    const [verb, isSaid, exitCode, says] = row;
    const cwd = await temporaryFolder();
    const { url, mine, other } = await twoAccounts(cwd, isSaid);
    const run = (args: readonly string[], secretKey: string) =>
      runCli([...args, '--api-base', url], { cwd, env: { STRIPE_SECRET_KEY: secretKey } });
    const statusOf = async (token: string) =>
      (await fetch(`${url}/v1/charges`, { headers: { authorization: `Bearer ${token}` } })).status;
    const stored = () => readFile(join(cwd, '.keyaudit/keys.env'), 'utf8');
    expect(await run(['provision', 'refund-agent'], mine.secretKey)).toMatchObject({ exitCode: 0 });
    const before = await stored();
    const token = /=(rk_test_\w+)/.exec(before)?.[1] ?? '';
    const wrong = await run([verb, 'refund-agent'], other.secretKey);
    expect(wrong.exitCode).toBe(exitCode);
    expect((wrong.stdout + wrong.stderr).replace(/\s+/g, ' ')).toContain(says);
    expect(await stored()).toBe(before);
    expect(await statusOf(token)).toBe(200);
    expect((await recordsOf(cwd)).map(({ status }) => status)).toEqual(['active']);
    // Nor does a leftover of one account end in the other.
    expect(await run(['keys', 'clean-up'], other.secretKey)).toMatchObject({ exitCode: 0 });
    const right = await run(['revoke', 'refund-agent'], mine.secretKey);
    expect(right).toMatchObject({ exitCode: 0 });
    expect(await statusOf(token)).toBe(401);
  });
});

describe('death', () => {
  it('is what the key itself was told: a key that was ended elsewhere is proved dead, then forgotten', async () => {
    const { run, cwd, sandbox, stored } = await scene();
    await run(['provision', 'refund-agent']);
    await sandbox.expireKey((await recordsOf(cwd))[0]?.id ?? '');
    expect(await run(['revoke', 'refund-agent'])).toMatchObject({ exitCode: 0 });
    expect(await stored()).toBeUndefined();
    expect((await recordsOf(cwd)).map(({ status }) => status)).toEqual(['revoked']);
  });

  it('is not recorded of a key that still answers when the time is up; its secret stays', async () => {
    const { run, cwd, stored, statusOf } = await scene([
      '--set',
      'expiryDelayMs=60000',
      '--set',
      'narrowingDelayMs=0',
    ]);
    await run(['provision', 'refund-agent']);
    const token = (await stored()) ?? '';
    expect(await run(['revoke', 'refund-agent', '--timeout', '1s'])).toMatchObject({ exitCode: 3 });
    expect(await stored()).toBe(token);
    expect(await statusOf(token)).not.toBe(401);
    expect((await recordsOf(cwd)).map(({ status }) => status)).toEqual(['retiring']);
  });
});

describe('revoke', () => {
  it.each([
    ['test', 'own', []],
    ['test', 'Connect', []],
    ['live', 'own', ['--live']],
    ['live', 'Connect', ['--live']],
  ] as const)('proves death in %s mode, with %s permissions', async (mode, side, live) => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    const connect = side === 'Connect' ? 'connect_permissions: { customers: read }\n' : '';
    await writeFile(
      join(cwd, 'profiles/mine.yaml'),
      `name: mine\nenv: STRIPE_MINE_KEY\npermissions: { charges: read }\n${connect}`,
    );
    await writeFile(join(cwd, 'slow.yaml'), 'expiryDelayMs: 700\nnarrowingDelayMs: 100\n');
    const options = { cwd, env: { KEYAUDIT_SANDBOX_BEHAVIOUR: 'slow.yaml' } };
    expect(await runCli(['provision', 'mine', ...live], options)).toMatchObject({ exitCode: 0 });
    const revoked = await runCli(['revoke', 'mine', ...live], options);
    expect(revoked).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/was dead after/) });
    expect((await recordsOf(cwd)).map((record) => [record.status, record.mode])).toEqual([['revoked', mode]]);
  });
});

describe('a rotated key', () => {
  const SLOW = ['--set', 'expiryDelayMs=3000', '--set', 'narrowingDelayMs=0'];

  it('is not recorded as dead while it answers, and asked about no more', async () => {
    const { run, cwd, stored, statusOf } = await scene(SLOW);
    await run(['provision', 'refund-agent']);
    const before = (await stored()) ?? '';
    expect(await run(['rotate', 'refund-agent'])).toMatchObject({ exitCode: 0 });
    expect(await statusOf(before)).not.toBe(401);
    expect((await recordsOf(cwd)).map(({ status }) => status)).toEqual(['retiring', 'active']);
    // It can do nothing and its secret is gone, so nothing further could be seen of it.
    const revoked = await run(['revoke', 'refund-agent']);
    expect(revoked).toMatchObject({ exitCode: 0 });
    expect((await recordsOf(cwd)).map(({ status }) => status)).toEqual(['retiring', 'revoked']);
  });

  it('is recorded as dead once --wait has seen it', async () => {
    const { run, cwd, stored, statusOf } = await scene(SLOW);
    await run(['provision', 'refund-agent']);
    const before = (await stored()) ?? '';
    expect(await run(['rotate', 'refund-agent', '--wait'])).toMatchObject({ exitCode: 0 });
    expect(await statusOf(before)).toBe(401);
    expect((await recordsOf(cwd)).map(({ status }) => status)).toEqual(['revoked', 'active']);
  });
});

describe('a store that can be read back', () => {
  it.each([
    ['says 0 and stores nothing', 'exec:cat > /dev/null', 3],
    ['says 0 and stores something else', 'exec:echo rk_test_plainlyFakePlainlyFake > vault', 3],
    ['takes the secret and then fails', 'exec:cat > vault; exit 1', 0],
    ['takes the secret', 'exec:cat > vault', 0],
  ])('%s', async (_name, store, exitCode) => {
    const { run, cwd, statusOf } = await scene();
    const readBack = ['--read-back', 'cat vault'];
    expect(
      await run(['provision', 'refund-agent', '--store', 'exec:cat > vault', ...readBack]),
    ).toMatchObject({ exitCode: 0 });
    const before = await readFile(join(cwd, 'vault'), 'utf8');
    const rotated = await run(['rotate', 'refund-agent', '--wait', '--store', store, ...readBack], {
      env: { STRIPE_REFUND_AGENT_KEY: before },
    });
    expect(rotated).toMatchObject({ exitCode });
    const after = await readFile(join(cwd, 'vault'), 'utf8');
    expect(await statusOf(before)).toBe(exitCode === 0 ? 401 : 200);
    if (exitCode === 0) expect(await statusOf(after)).toBe(200);
  });
});

describe('a store that takes the secret and then fails', () => {
  it('ends neither key: agents may read either one', async () => {
    const { run, cwd, active, statusOf } = await scene();
    const vault = 'exec:cat > vault';
    expect(await run(['provision', 'refund-agent', '--store', vault])).toMatchObject({ exitCode: 0 });
    const before = await readFile(join(cwd, 'vault'), 'utf8');
    const failed = await run(['rotate', 'refund-agent', '--store', `${vault}; exit 1`]);
    expect(failed.exitCode).toBe(3);
    expect(failed.stderr.replace(/\s+/g, ' ')).toContain('that key and the old one both live');
    const after = await readFile(join(cwd, 'vault'), 'utf8');
    expect(after).not.toBe(before);
    expect([await statusOf(before), await statusOf(after)]).toEqual([200, 200]);
    // Nor does the next run, which still cannot know.
    await run(['keys', 'clean-up']);
    expect(await active()).toHaveLength(2);
  });
});

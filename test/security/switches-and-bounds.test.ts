import { describe, expect, it } from 'vitest';
import { hostileServer } from '../support/hostile-server.ts';
import { runProgram, temporaryFolder } from '../support/run-cli.ts';

// Switches that fail open, keys that are taken for harmless, servers that are taken for the sandbox, and all that
// comes from outside without an end.

const FAKE = 'plainlyFake'.repeat(2);

describe('a switch in the environment', () => {
  it.each(
    ['LIVE', 'QUIET', 'VERBOSE', 'FROZEN'].flatMap((name) =>
      ['nope', 'enabled', '2', 'yes please', '-'].map((value) => [`KEYAUDIT_${name}`, value] as const),
    ),
  )('%s=%s is refused', async (name, value) => {
    const run = await runProgram(['verify', 'analytics'], {
      cwd: await temporaryFolder(),
      env: { [name]: value },
    });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(`${name} is "${value}", which is neither on nor off.`);
  });
});

describe('a key that counts as live', () => {
  const secretKeys = ['sk_live_', 'sk_org_live_', 'rk_live_', 'sk_of_another_form_', 'no_form_at_all_'];

  it.each(secretKeys)('%s… makes no keys without --live', async (prefix) => {
    const server = await hostileServer((_request, response) => response.end('{}'));
    const run = await runProgram(['provision', 'analytics', '--api-base', server.url], {
      cwd: await temporaryFolder(),
      env: { STRIPE_SECRET_KEY: prefix + FAKE },
    });
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Say --live as well') });
    expect(run.stderr + run.stdout).not.toContain(FAKE);
    expect(server.requests).toEqual([]);
  });

  it.each(['rk_live_', 'rk_of_another_form_'])('%s… is not probed without it', async (prefix) => {
    const server = await hostileServer((_request, response) => response.end('{}'));
    for (const args of [
      ['verify', 'analytics'],
      ['inspect', '--key-env', 'STRIPE_ANALYTICS_KEY'],
    ]) {
      const run = await runProgram([...args, '--api-base', server.url], {
        cwd: await temporaryFolder(),
        env: { STRIPE_ANALYTICS_KEY: prefix + FAKE },
      });
      expect(run.exitCode).not.toBe(0);
      expect(run.stderr + run.stdout).toContain('Say --live as well');
      expect(run.stderr + run.stdout).not.toContain(FAKE);
    }
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['provision', ['provision', 'analytics'], 'STRIPE_SECRET_KEY', 'sk_live_'],
    ['verify', ['verify', 'analytics'], 'STRIPE_ANALYTICS_KEY', 'rk_live_'],
    ['inspect', ['inspect', '--key-env', 'STRIPE_ANALYTICS_KEY'], 'STRIPE_ANALYTICS_KEY', 'rk_live_'],
  ] as const)('does not leave this machine in clear text: %s', async (_name, args, variable, prefix) => {
    const run = await runProgram([...args, '--live', '--api-base', 'http://stripe.invalid'], {
      cwd: await temporaryFolder(),
      env: { [variable]: prefix + FAKE },
    });
    expect(run.exitCode).toBe(2);
    expect(run.stderr + run.stdout).toContain('would go to stripe.invalid in clear text');
    expect(run.stderr + run.stdout).not.toContain(FAKE);
  });
});

describe('a server that nobody named', () => {
  it('is never called the sandbox, and is asked at the pace of Stripe', async () => {
    const server = await hostileServer((_request, response) => {
      response.writeHead(403, { 'content-type': 'application/json', 'request-id': 'req_1' });
      response.end(
        '{"error":{"type":"invalid_request_error","code":"more_permissions_required","message":"no"}}',
      );
    });
    const options = { cwd: await temporaryFolder(), env: { STRIPE_ANALYTICS_KEY: `rk_test_${FAKE}` } };
    const args = ['verify', 'analytics', '--depth', 'checks', '--api-base', server.url];
    for (const target of [[], ['--target', 'sandbox']]) {
      const run = await runProgram([...args, ...target], {
        ...options,
        env: { ...options.env, ...(target.length === 0 ? { KEYAUDIT_TARGET: '' } : {}) },
      });
      expect(run.stdout).toContain(`Asked ${server.url} as target ${target[1] ?? 'stripe'}.`);
      expect(run.stdout + run.stderr).not.toMatch(/nothing at Stripe|the sandbox at/);
    }
  });
});

describe('what comes without an end', () => {
  it.each<[string, string, readonly string[]]>([
    ['a key', 'x'.repeat(5_000), ['inspect']],
    ['input', 'GET /v1/charges\n'.repeat(100_000), ['permissions', '--file', '-']],
    ['input for a key', 'y'.repeat(2_000_000), ['inspect']],
  ])('%s is refused in one sentence', async (_name, input, args) => {
    const run = await runProgram(args, { cwd: await temporaryFolder(), input });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr.length).toBeLessThan(400);
  });

  it.each(['999999999w', '3651d', '1e9d', '-1d', '0s', '99999999999999999999d'])(
    'a time of %s is refused',
    async (duration) => {
      for (const args of [
        ['provision', 'analytics', '--ttl', duration],
        ['rotate', 'analytics', '--older-than', duration],
        ['rotate', 'analytics', '--grace', duration],
        ['revoke', 'analytics', '--timeout', duration],
        ['verify', 'analytics', '--timeout', duration],
        ['verify', 'analytics', '--deadline', duration],
        ['exec', 'analytics', '--kill-after', duration, '--', 'true'],
      ]) {
        const run = await runProgram(args, {
          cwd: await temporaryFolder(),
          env: { STRIPE_ANALYTICS_KEY: `rk_test_${FAKE}` },
        });
        expect(run.exitCode, `${args.join(' ')}: ${run.stderr}`).toBe(2);
        expect(run.stderr).toContain('is not a duration');
      }
    },
  );

  it('a list of keys without an end is given up', async () => {
    let page = 0;
    const server = await hostileServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_1' });
      response.end(JSON.stringify({ data: [], next_page_url: `/v2/iam/api_keys?page=${++page}` }));
    });
    const run = await runProgram(
      ['provision', 'analytics', '--target', 'sandbox', '--api-base', server.url],
      {
        cwd: await temporaryFolder(),
        env: { STRIPE_SECRET_KEY: `sk_test_${FAKE}` },
      },
    );
    expect(run.exitCode).not.toBe(0);
    expect(server.requests.length).toBeLessThan(600);
  });

  it.each(['verify', 'inspect'])('an answer without an end is given up by %s', async (command) => {
    const server = await hostileServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(1_000_000)));
      };
      response.on('drain', more);
      more();
    });
    const args =
      command === 'verify' ? ['analytics', '--depth', 'checks'] : ['--key-env', 'STRIPE_ANALYTICS_KEY'];
    const run = await runProgram(
      [command, ...args, '--target', 'sandbox', '--api-base', server.url, '--rate', '1000'],
      { cwd: await temporaryFolder(), env: { STRIPE_ANALYTICS_KEY: `rk_test_${FAKE}` } },
    );
    expect(run.exitCode).toBe(3);
  });
});

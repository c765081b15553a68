import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { catalog } from '../support/profiles.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

/** Rows of the README's table that make requests, with how often each is told. */
async function told(): Promise<ReadonlyMap<string, number>> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, table = ''] = /## What it costs in requests\n([\s\S]*?)\n## /.exec(readme) ?? [];
  return new Map(
    [...table.matchAll(/^\| (`[^|]+?) +\| (\d+)/gm)].map(([, what = '', count]) => [what, Number(count)]),
  );
}

/** A sandbox behind a server that counts what is asked. */
async function countingSandbox() {
  const sandbox = await startSandbox({ catalog });
  const { hostname, port } = new URL(sandbox.url);
  let count = 0;
  const server = createServer((asked, answer) => {
    count++;
    const { url: path, method, headers } = asked;
    const sent = request({ hostname, port, path, method, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(answer);
    });
    asked.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await sandbox.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secretKey: sandbox.secretKey.reveal(),
    /** How many since it was asked last. */
    taken: () => {
      const taken = count;
      count = 0;
      return taken;
    },
  };
}

it('costs as many requests as the README says', async () => {
  const cwd = await temporaryFolder();
  const { url, secretKey, taken } = await countingSandbox();
  const costs = async (args: readonly string[], { withSecretKey = true } = {}) => {
    const env = { KEYAUDIT_API_BASE: url, ...(withSecretKey ? { STRIPE_SECRET_KEY: secretKey } : {}) };
    const run = await runCli(args, { cwd, env });
    expect([args, run.exitCode, run.stderr]).toEqual([args, 0, expect.any(String)]);
    return taken();
  };
  const measured = new Map([
    ['`provision`', await costs(['provision', 'refund-agent'])],
    ['`plan`, `permissions`, `lint`, `diff`', await costs(['plan', 'refund-agent'])],
    ['`verify --depth record`', await costs(['verify', 'refund-agent', '--depth', 'record'])],
    [
      '`verify --depth checks`',
      await costs(['verify', 'refund-agent', '--depth', 'checks'], { withSecretKey: false }),
    ],
    ['`verify` (`--depth permissions`)', await costs(['verify', 'refund-agent'], { withSecretKey: false })],
    [
      '`verify --depth endpoints`',
      await costs(['verify', 'refund-agent', '--depth', 'endpoints'], { withSecretKey: false }),
    ],
    ['`exec`', await costs(['exec', 'refund-agent', '--', 'true'])],
  ]);
  const withKey = await costs(['verify', 'refund-agent', '--depth', 'checks']);
  const rotating = await costs(['rotate', 'refund-agent']);
  const { '`rotate`': leastOfRotate = 0, ...rest } = Object.fromEntries(await told());
  expect(rest).toEqual(Object.fromEntries(measured));
  // The secret key's one more.
  expect(withKey).toBe((measured.get('`verify --depth checks`') ?? 0) + 1);
  // How often the old key is looked at until it is dead is the sandbox's clock's.
  expect(rotating).toBeGreaterThanOrEqual(leastOfRotate);
  expect(rotating).toBeLessThan(leastOfRotate + 60);
});

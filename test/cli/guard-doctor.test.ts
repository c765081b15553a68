import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { writtenLog } from '../support/written-log.ts';

const LOG = '.keyaudit/guard/log';

async function states(
  cwd: string,
  args: readonly string[] = [],
  more: { env?: Record<string, string>; laterMs?: number } = {},
) {
  const run = await runCli(['guard', 'doctor', ...args, '--format', 'json'], { cwd, ...more });
  const { checks = [] } = JSON.parse(run.stdout) as {
    checks: { name: string; state: string; text: string }[];
  };
  return {
    exitCode: run.exitCode,
    ...Object.fromEntries(checks.map(({ name, state }) => [name, state])),
    text: run.stdout,
  };
}

it('guard doctor finds keys in reach, a clock that is behind, a log that was changed, and the MCP server', async () => {
  const cwd = await temporaryFolder();
  await writtenLog(join(cwd, LOG));
  const good = await states(cwd, ['refund-agent']);
  expect(good).toMatchObject({
    keys: 'ok',
    clock: 'ok',
    log: 'ok',
    user: 'unknown',
    profile: 'unknown',
    mcp: 'note',
  });
  expect([1, 3]).toContain(good.exitCode);
  const key = ['sk', 'test', 'x'].join('_');
  const bad = await states(cwd, [], { env: { STRIPE_SECRET_KEY: key }, laterMs: -400 * 86_400_000 });
  expect(bad).toMatchObject({ exitCode: 1, keys: 'bad', clock: 'bad' });
  expect(bad.text).toContain('STRIPE_SECRET_KEY');
  expect(bad.text).not.toContain(key);
  await writeFile(join(cwd, 'package.json'), '{ "dependencies": { "@stripe/agent-toolkit": "1" } }');
  await writeFile(join(cwd, LOG, '2026-11-25.jsonl'), '{}\n');
  const changed = await states(cwd);
  expect(changed).toMatchObject({ exitCode: 1, log: 'bad', mcp: 'bad' });
});

it('guard doctor finds a profile without caps, and a folder that cannot be written', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  await writeFile(
    join(cwd, 'profiles/p.yaml'),
    'name: p\ndescription: d\nenv: STRIPE_P_KEY\npermissions: { charges: read }\n',
  );
  expect(await states(cwd, ['p'])).toMatchObject({
    exitCode: 1,
    profile: 'bad',
    log: 'unknown',
    clock: 'unknown',
  });
  await rm(join(cwd, '.keyaudit'), { recursive: true });
  await writeFile(join(cwd, '.keyaudit'), '');
  expect(await states(cwd)).toMatchObject({ exitCode: 1, disk: 'bad' });
});

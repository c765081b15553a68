import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

describe('--min-coverage', () => {
  it.each<[string, readonly string[], 'stdout' | 'stderr', RegExp]>([
    [
      'plan',
      ['plan', 'agent'],
      'stderr',
      /agent\.yaml:4:3 No call under "checks\.allow" of agent exercises product_read/,
    ],
    ['profiles lint', ['profiles', 'lint', 'agent'], 'stdout', /agent\.yaml:4:3 No call under/],
    ['verify', ['verify', 'agent'], 'stdout', /DRIFT low-coverage: No call under/],
  ])('of %s fails when checks exercise less', async (_name, args, stream, message) => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    const profile =
      'name: agent\npermissions:\n  charges: read\n  products: read\nchecks:\n  allow: [charges.list]\n';
    await writeFile(join(cwd, 'profiles', 'agent.yaml'), profile);
    expect((await runCli(['provision', 'agent'], { cwd })).exitCode).toBe(0);
    const run = (...more: string[]) => runCli([...args, ...more], { cwd });
    expect((await run()).exitCode).toBe(0);
    expect((await run('--min-coverage', '50')).exitCode).toBe(0);
    const low = await run('--min-coverage', '100');
    expect(low.exitCode).toBe(1);
    expect(low[stream]).toMatch(message);
    expect((await run('--min-coverage', '101')).exitCode).toBe(2);
  });

  it('is met in full by the shipped profiles', async () => {
    const run = await runCli(['profiles', 'lint', '--min-coverage', '100'], { cwd: await temporaryFolder() });
    expect(run).toMatchObject({ exitCode: 0 });
  });
});

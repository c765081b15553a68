import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

describe('guard kill and resume', () => {
  it.each([
    [['guard', 'kill', '--all']],
    [['guard', 'kill', 'run_1']],
    [['guard', 'resume', '--all', '--epoch', '1']],
  ])('%j asks the guard of the folder, and says when there is none', async (args) => {
    const { exitCode, stderr } = await runCli(args, { cwd: await temporaryFolder() });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('No guard runs for this folder')]);
  });

  it('names nothing or too much: usage', async () => {
    const cwd = await temporaryFolder();
    expect((await runCli(['guard', 'kill'], { cwd })).exitCode).toBe(2);
    expect((await runCli(['guard', 'kill', 'run_1', '--all'], { cwd })).exitCode).toBe(2);
  });
});

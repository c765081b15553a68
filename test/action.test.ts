import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from './support/run-cli.ts';
import { startSandboxServer } from './support/sandbox-server.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as {
  inputs: Record<string, { description: string; default: string }>;
  outputs: Record<string, { description: string; value: string }>;
  runs: {
    using: string;
    steps: { name: string; id?: string; shell: string; run: string; env?: Record<string, string> }[];
  };
};
const verify = action.runs.steps.find((step) => step.id === 'verify');

interface StepResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Runs the step as the runner does: inputs with their defaults as variables, outputs from a file. */
async function step(
  cwd: string,
  inputs: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<StepResult> {
  const values = Object.fromEntries(
    Object.entries(verify?.env ?? {}).map(([name, value]) => {
      const input = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(value)?.[1] ?? '';
      return [name, inputs[input] ?? action.inputs[input]?.default ?? ''];
    }),
  );
  await writeFile(join(cwd, 'outputs'), '');
  const run = await execa('bash', ['-e', '-c', verify?.run ?? 'false'], {
    cwd,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: cwd,
      GITHUB_ACTION_PATH: root,
      GITHUB_OUTPUT: join(cwd, 'outputs'),
      GITHUB_STEP_SUMMARY: join(cwd, 'summary.md'),
      ...values,
      ...env,
    },
    extendEnv: false,
    reject: false,
  });
  const written = await readFile(join(cwd, 'outputs'), 'utf8');
  const outputs = [...written.matchAll(/^([\w-]+)<<(end-\S+)\n([\s\S]*?)\n\2\n/gm)];
  return {
    exitCode: run.exitCode,
    stdout: run.stdout + run.stderr,
    outputs: Object.fromEntries(outputs.map(([, name, , value]) => [name, value])),
  };
}

describe('action.yml', () => {
  it('is a composite action that passes every input on, as a variable and not as text of a script', () => {
    expect(action.runs.using).toBe('composite');
    for (const { shell, run } of action.runs.steps) {
      expect(shell).toBe('bash');
      expect(run).not.toContain('${{');
    }
    const used = JSON.stringify(action.runs.steps);
    for (const [name, input] of Object.entries(action.inputs)) {
      expect(used, name).toContain(`inputs.${name} }}`);
      expect(input.description.length, name).toBeGreaterThan(10);
      expect(typeof input.default, name).toBe('string');
    }
    for (const [, name] of used.matchAll(/inputs\.([\w-]+)/g))
      expect(action.inputs).toHaveProperty(name ?? '');
    for (const [name, { value }] of Object.entries(action.outputs)) {
      expect(value).toBe(`\${{ steps.verify.outputs.${name} }}`);
    }
  });

  it('verifies the shipped profiles on the sandbox against the lock file of this project', async () => {
    const cwd = await temporaryFolder();
    const result = await step(cwd, { lock: join(root, 'keyaudit.lock.yaml') });
    expect(result.exitCode, result.stdout).toBe(0);
    expect(result.outputs).toMatchObject({ ok: 'true', 'exit-code': '0' });
    expect(Object.keys(result.outputs).sort()).toEqual(Object.keys(action.outputs).sort());
    expect(JSON.parse(result.outputs.counts ?? '')).toMatchObject({ profiles: 5, overGrants: 0, drift: 0 });
    for (const file of (result.outputs.reports ?? '').split('\n')) {
      expect((await readFile(join(cwd, file), 'utf8')).length).toBeGreaterThan(1000);
    }
    expect(result.outputs.reports).toBe(
      'keyaudit-reports/keyaudit.xml\nkeyaudit-reports/keyaudit.sarif\nkeyaudit-reports/keyaudit.html',
    );
    expect(await readFile(join(cwd, 'summary.md'), 'utf8')).toContain('every key is as its profile says');
  });

  it('fails with outputs and reports for a key that can do more', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles', 'mine.yaml'), 'name: mine\npermissions:\n  products: read\n');
    const sandbox = await startSandboxServer(cwd);
    const { token } = await sandbox.makeKey(['product_read', 'payout_write']);
    const result = await step(
      cwd,
      {
        target: 'stripe',
        profiles: 'mine',
        frozen: 'false',
        'key-variables': 'STRIPE_MINE_KEY',
        formats: 'json',
      },
      { STRIPE_MINE_KEY: token, KEYAUDIT_API_BASE: sandbox.url },
    );
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toMatchObject({ ok: 'false', 'exit-code': '1' });
    expect(JSON.parse(result.outputs.counts ?? '').overGrants).toBeGreaterThan(0);
    expect(result.stdout).toMatch(/^::error file=profiles\/mine.yaml,.*over-grant payout_write/m);
    expect(result.stdout).not.toContain(token);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a key that is not there', { 'key-variables': 'A_KEY\nB_KEY' }, /^::error.*No key in A_KEY, B_KEY/m],
    ['a wrong format', { formats: 'junit pdf' }, /No format "pdf"/],
    ['no lock file', {}, /There is no lock file keyaudit\.lock\.yaml/],
    ['an input that tries to be a command', { profiles: '$(touch pwned);x' }, /no profile "\$\(touch"/],
  ])('says what is wrong: %s', async (_name, inputs, message) => {
    const result = await step(await temporaryFolder(), inputs);
    expect(result.exitCode).toBe(2);
    expect(result.stdout).toMatch(message);
  });
});

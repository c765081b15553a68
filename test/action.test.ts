import { readFileSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
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

/** A project whose own profiles are those that ship. */
async function folderWithProfiles(): Promise<string> {
  const cwd = await temporaryFolder();
  await cp(join(root, 'profiles'), join(cwd, 'profiles'), { recursive: true });
  return cwd;
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
    const cwd = await folderWithProfiles();
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
    const result = await step(await folderWithProfiles(), inputs);
    expect(result.exitCode).toBe(2);
    expect(result.stdout).toMatch(message);
  });
});

describe('the comment', () => {
  interface Comment {
    id: number;
    body: string;
    user: { type: string };
  }

  /** GitHub's comments of one pull request, as far as the action uses them. */
  async function comments(kept: Comment[], status = 200) {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { body = '' } = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
        if (request.method === 'POST') kept.push({ id: kept.length + 1, body, user: { type: 'Bot' } });
        if (request.method === 'PATCH') {
          const one = kept.find(({ id }) => request.url?.endsWith(`/comments/${id}`));
          if (one !== undefined) one.body = body;
        }
        const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
        const answer = request.method === 'GET' ? kept.slice(100 * (page - 1), 100 * page) : {};
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  /** Runs the step that comments, as the runner does. */
  async function comment(cwd: string, url: string, env: Readonly<Record<string, string>> = {}) {
    await writeFile(join(cwd, 'event.json'), JSON.stringify({ pull_request: { number: 7 } }));
    return execa(
      'bash',
      ['-e', '-c', action.runs.steps.find(({ name }) => name === 'Comment')?.run ?? 'false'],
      {
        cwd,
        env: {
          PATH: process.env.PATH ?? '',
          GITHUB_ACTION_PATH: root,
          GITHUB_API_URL: url,
          GITHUB_REPOSITORY: 'acme/pay',
          GITHUB_WORKFLOW: 'keys --> x',
          GITHUB_JOB: 'keyaudit',
          GITHUB_EVENT_PATH: join(cwd, 'event.json'),
          KEYAUDIT_COMMENT_TOKEN: 'ghs_token',
          ...env,
        },
        extendEnv: false,
        reject: false,
        stdin: 'ignore',
      },
    );
  }

  it('is one, written by the first run and brought up to date by the next', async () => {
    const cwd = await temporaryFolder();
    const git = (...args: string[]) =>
      execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd });
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles/mine.yaml'), 'name: mine\npermissions:\n  products: read\n');
    await git('init', '-q');
    await git('add', 'profiles');
    await git('commit', '-qm', 'base');
    await git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    await writeFile(join(cwd, 'profiles/mine.yaml'), 'name: mine\npermissions:\n  products: write\n');
    const verified = await step(
      cwd,
      { comment: 'true', frozen: 'false', formats: '' },
      { GITHUB_BASE_REF: 'main' },
    );
    expect(verified.exitCode, verified.stdout).toBe(0);
    const files = verified.outputs['comment-files'] ?? '';
    expect(files.split('\n')).toHaveLength(2);
    // A person may write the mark as well, and is not spoken for.
    const kept: Comment[] = [
      { id: 900, body: '<!-- keyaudit keys __> x/keyaudit --> mine', user: { type: 'User' } },
      ...Array.from({ length: 120 }, (_, id) => ({ id: 1000 + id, body: 'Nice.', user: { type: 'Bot' } })),
    ];
    const github = await comments(kept);
    const first = await comment(cwd, github.url, { KEYAUDIT_COMMENT_FILES: files });
    expect(first.stdout).toBe('The comment was written.');
    const written = kept.at(-1)?.body ?? '';
    expect(written).toContain('## keyaudit verify: ✅');
    expect(written).toContain('## keyaudit diff: ⚠️ 1 wider');
    await writeFile(join(cwd, files.split('\n')[0] ?? ''), 'Later.');
    const second = await comment(cwd, github.url, { KEYAUDIT_COMMENT_FILES: files });
    expect(second.stdout).toBe('The comment was brought up to date.');
    expect(kept).toHaveLength(122);
    expect(kept.at(-1)?.body).toContain('Later.');
    expect(kept[0]?.body).toContain('mine');
  });

  it.each([403, 404, 500])('is a warning where it cannot be written: HTTP %i', async (status) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.md'), 'Text.');
    const { url } = await comments([], status);
    const run = await comment(cwd, url, { KEYAUDIT_COMMENT_FILES: 'a.md' });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(new RegExp(`^::warning title=keyaudit::.*answered HTTP ${status}`));
    expect(run.stdout).not.toContain('ghs_token');
  });
});

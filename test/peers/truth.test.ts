import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { temporaryFolder } from '../support/run-cli.ts';

// .github/workflows/truth.yml is run as GitHub would, step by step, with a sandbox where Stripe stands and a "gh" that notes what it is asked.

const ROOT = join(import.meta.dirname, '../..');

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const UNKNOWN = catalogData.operations
  .filter(({ provenance, host }) => provenance === 'unknown' && host === 'api')
  .slice(0, 3);
const LIED_ABOUT = catalogData.operations.filter(({ provenance }) => provenance === 'documented').slice(0, 1);

/** Stripe, with three rows that the catalog does not know, and one that it has and a refusal names otherwise. */
async function stripe() {
  const unknown = new Set(UNKNOWN.map(({ name }) => name));
  const operations = catalogData.operations.map((one) =>
    unknown.has(one.name) ? { ...one, permissions: ['webhook_write'] } : one,
  );
  const sandbox = await startSandbox({
    catalog: new Catalog({ ...catalogData, operations }),
    behaviour: { refusalNames: { [LIED_ABOUT[0]?.name ?? '']: 'payout_write' } },
  });
  onTestFinished(() => sandbox.close());
  const made = await fetch(`${sandbox.url}/v2/iam/api_keys`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${sandbox.secretKey.reveal()}`,
      'stripe-version': '2026-08-26.preview',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ type: 'secret_key', name: 'bare', permissions: ['shipping_rate_read'] }),
  });
  const bare = /"token":"([^"]+)"/.exec(await made.text())?.[1];
  if (bare === undefined) throw new Error('no key was made');
  return { url: sandbox.url, secret: sandbox.secretKey.reveal(), bare };
}

/** This checkout as it is, with a remote to push to; what the workflow installs is there already. */
async function checkout() {
  const root = await temporaryFolder();
  const repository = join(root, 'repository');
  const { stdout } = await execa('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
  });
  for (const file of stdout.split('\n')) {
    await mkdir(dirname(join(repository, file)), { recursive: true });
    await cp(join(ROOT, file), join(repository, file));
  }
  await cp(join(ROOT, 'dist'), join(repository, 'dist'), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(repository, 'node_modules'));
  const git = (...args: string[]) => execa('git', args, { cwd: repository });
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('add', '--all');
  await git(
    '-c',
    'user.name=a',
    '-c',
    'user.email=a@example.com',
    'commit',
    '--quiet',
    '--message',
    'as it is',
  );
  await execa('git', ['init', '--quiet', '--bare', join(root, 'origin')]);
  await git('remote', 'add', 'origin', join(root, 'origin'));
  await git('push', '--quiet', 'origin', 'main');
  const bin = join(root, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'gh'), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${join(root, 'gh.txt')}'\n`);
  await chmod(join(bin, 'gh'), 0o755);
  return { root, repository, git, bin };
}

type Checkout = Awaited<ReturnType<typeof checkout>>;

async function runWorkflow(
  { root, repository, bin }: Checkout,
  secrets: Readonly<Record<string, string>>,
  apiBase: string,
): Promise<string> {
  const { jobs } = parse(await readFile(join(repository, '.github/workflows/truth.yml'), 'utf8'));
  const temp = join(root, 'temp');
  await mkdir(temp, { recursive: true });
  let output = '';
  for (const { run, env = {} } of jobs.ask.steps as readonly Step[]) {
    if (run === undefined || run.startsWith('npm ci')) continue;
    const given = Object.entries(env).map(([name, value]) => {
      const secret = /^\$\{\{ secrets\.(\w+) \}\}$/.exec(value)?.[1];
      return [name, secret === undefined ? 'a token' : (secrets[secret] ?? '')];
    });
    const step = await execa('bash', ['-e', '-o', 'pipefail', '-c', run], {
      cwd: repository,
      extendEnv: false,
      all: true,
      env: {
        PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH}`,
        HOME: root,
        NO_COLOR: '1',
        RUNNER_TEMP: temp,
        GITHUB_STEP_SUMMARY: join(temp, 'summary.md'),
        GITHUB_RUN_ID: '4711',
        KEYAUDIT_API_BASE: apiBase,
        KEYAUDIT_RATE: '500',
        ...Object.fromEntries(given),
      },
    });
    output += step.all;
  }
  return output;
}

describe('truth.yml', () => {
  it('runs weekly, hands each secret to the step that needs it, and pins what it uses', async () => {
    const workflow = parse(await readFile(join(ROOT, '.github/workflows/truth.yml'), 'utf8'));
    expect(workflow.on.schedule).toEqual([{ cron: expect.stringMatching(/^\d+ \d+ \* \* \d$/) }]);
    const steps = workflow.jobs.ask.steps as readonly Step[];
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/@[0-9a-f]{40}$/);
    expect(workflow.jobs.ask.env).toBeUndefined();
    const holders = (text: string) =>
      steps.filter(({ env = {} }) => JSON.stringify(env).includes(text)).length;
    expect([holders('BARE_KEY'), holders('SECRET_KEY'), holders('github.token')]).toEqual([1, 1, 1]);
  });

  it('opens a pull request with what Stripe names, and says nothing of any key', async () => {
    const place = await checkout();
    const { url, secret, bare } = await stripe();
    const secrets = { KEYAUDIT_TRUTH_BARE_KEY: bare, KEYAUDIT_TRUTH_SECRET_KEY: secret };
    const output = await runWorkflow(place, secrets, url);
    const branch = /--head (truth\/\d{4}-\d\d-\d\d-4711)/.exec(
      await readFile(join(place.root, 'gh.txt'), 'utf8'),
    )?.[1];
    expect(branch).toBeDefined();
    const show = async (file: string) => (await place.git('show', `origin/${branch}:${file}`)).stdout;
    await place.git('fetch', '--quiet', 'origin');
    const table = (await show('src/core/catalog/data/source/endpoints.tsv')).split('\n');
    for (const { method, path } of UNKNOWN)
      expect(table.find((line) => line.startsWith(`${method}\t${path}\t`))).toMatch(
        /\twebhook_write\tcalibrated\ta key with just this permission .*by keyaudit calibrate\t/,
      );
    const [lied] = LIED_ABOUT;
    expect(table.find((line) => line.startsWith(`${lied?.method}\t${lied?.path}\t`))).toContain(
      `\t${lied?.permissions.join(' ')}\tcalibrated\t`,
    );
    expect(table.filter((line) => line.split('\t')[3] === 'named').length).toBeGreaterThan(200);
    // What is generated goes with it, and fits.
    expect(await show('src/core/catalog/data/catalog.ts')).not.toBe(
      await readFile(join(ROOT, 'src/core/catalog/data/catalog.ts'), 'utf8'),
    );
    const proposal = await readFile(join(place.root, 'temp/proposal.md'), 'utf8');
    expect(proposal).toMatch(/\d+ rows taken, 0 left/);
    const { stdout: patch } = await place.git('show', `origin/${branch}`);
    for (const text of [output, proposal, patch])
      expect(text).not.toMatch(/(?:sk|rk)_test_\w{8}|acct_\w{8}|mk_\w{8}/);
  });

  it('asks nothing and proposes nothing without the secret', async () => {
    const place = await checkout();
    const output = await runWorkflow(place, {}, 'http://127.0.0.1:1');
    expect(output).toContain('KEYAUDIT_TRUTH_BARE_KEY is not set');
    await expect(readFile(join(place.root, 'gh.txt'))).rejects.toThrow('ENOENT');
  });
});

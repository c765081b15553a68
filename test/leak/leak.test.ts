import { readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { HUNG_MS } from '../../vitest.config.ts';
import { KEYAUDIT, temporaryFolder } from '../support/run-cli.ts';
import { type SandboxServer, startSandboxServer } from '../support/sandbox-server.ts';

/** Every form in which a secret could stand somewhere. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    encodeURIComponent(secret),
  ];
}

async function allFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function secretsAt({ url, secretKey }: SandboxServer): Promise<string[]> {
  const response = await fetch(`${url}/v2/iam/api_keys?limit=100&include_expired=true`, {
    headers: { authorization: `Bearer ${secretKey}`, 'stripe-version': '2026-08-26.preview' },
  });
  const { data } = (await response.json()) as { data: { secret_key: { token: string } }[] };
  return [secretKey, ...data.map((key) => key.secret_key.token)];
}

/** An agent that tells all that it knows to nobody but its server. */
const AGENT = `await fetch(process.env.KEYAUDIT_API_BASE + '/v1/charges?limit=1', {
  headers: { authorization: 'Bearer ' + process.env.AGENT_KEY },
});
`;

const OFFLINE = [
  ['keys'],
  ['keys', 'prune'],
  ['keys', 'clean-up'],
  ['diff', 'analytics', 'refund-agent'],
  ['attest'],
  ['attest', 'verify', 'none.json'],
  ['permissions', 'GET /v1/charges'],
  ['explain', 'charge_read'],
  ['resources', 'charges'],
  ['profiles'],
  ['profiles', 'list'],
  ['profiles', 'show', 'analytics'],
  ['profiles', 'lint'],
  ['profiles', 'accept', 'analytics', 'charges.list', '--reason', 'none'],
  ['init', 'helper', '--permission', 'charges=read'],
  ['config'],
  ['completion', 'bash'],
] as const;

/** The server that all of this goes to. */
const STARTED_ELSEWHERE = ['sandbox'];

type Run = (
  args: readonly string[],
  more?: { env?: Record<string, string>; input?: string },
) => Promise<unknown>;

/** Every verb of the guard, while one serves. @returns the run keys */
async function throughGuard(run: Run, cwd: string): Promise<readonly string[]> {
  const serving = run(['guard', 'refund-agent', '--listen', '127.0.0.1:0', '--verbose']);
  const socket = join(cwd, '.keyaudit/guard/guard.sock');
  await expect
    .poll(
      () =>
        stat(socket).then(
          () => true,
          () => false,
        ),
      { timeout: HUNG_MS },
    )
    .toBe(true);
  await run(['guard', 'issue', 'refund-agent', '--run', 'leak', '--store', 'env-file:.keyaudit/run.env']);
  for (const verb of ['status', 'doctor', 'reconcile', 'log']) await run(['guard', verb]);
  await run(['guard', 'log', 'export', '--format', 'ocsf']);
  await run(['guard', 'log', 'verify']);
  await run(['guard', 'log', 'accept', '2026-11-25.jsonl:1', '--reason', 'none']);
  await run(['guard', 'simulate', '.keyaudit/guard/log']);
  await run(['guard', 'kill', 'leak']);
  await run(['guard', 'resume', 'leak']);
  const stored = await readFile(join(cwd, '.keyaudit/run.env'), 'utf8');
  await rm(join(cwd, '.keyaudit/run.env'));
  const keys = [...stored.matchAll(/rk_guard_test_\w+/g)].map(([one]) => one);
  expect(keys).toHaveLength(1);
  await endServing(cwd);
  await serving;
  return keys;
}

/** Ends the guard of a folder as Ctrl-C does. */
async function endServing(cwd: string): Promise<void> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const [text, folder] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
    ]);
    if (folder === cwd && text.includes('\0guard\0refund-agent\0--listen'))
      process.kill(Number(pid), 'SIGINT');
  }
}

describe('no secret leaks', () => {
  it('through any command, format or error: not to output, not to files of others, not to arguments', async () => {
    const cwd = await temporaryFolder();
    const temporary = await temporaryFolder();
    const serverFolder = await temporaryFolder();
    const sandbox = await startSandboxServer(serverFolder, [
      '--set',
      'expiryDelayMs=0',
      '--set',
      'narrowingDelayMs=0',
    ]);
    const outputs: { args: string; text: string }[] = [];
    const argumentsSeen: string[] = [];
    const run = async (
      args: readonly string[],
      more: { env?: Record<string, string>; input?: string } = {},
    ) => {
      const child = execa(process.execPath, [KEYAUDIT, ...args], {
        cwd,
        env: {
          PATH: process.env.PATH ?? '',
          HOME: cwd,
          TMPDIR: temporary,
          NO_COLOR: '1',
          STRIPE_SECRET_KEY: sandbox.secretKey,
          KEYAUDIT_API_BASE: sandbox.url,
          KEYAUDIT_TARGET: 'sandbox',
          ...more.env,
        },
        extendEnv: false,
        reject: false,
        input: more.input ?? '',
        all: true,
      });
      const watch = setInterval(() => void readArguments(child.pid, argumentsSeen), 20);
      const ended = await child;
      clearInterval(watch);
      outputs.push({ args: args.join(' '), text: ended.all });
      return ended;
    };
    await writeFile(join(cwd, 'slow.json'), '{}');

    await run(['provision', '--examples', '--verbose']);
    const stored = await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8');
    const token = /^STRIPE_ANALYTICS_KEY=(.*)$/m.exec(stored)?.[1] ?? '';
    expect(token).toMatch(/^rk_test_/);
    for (const format of ['table', 'json', 'junit', 'sarif', 'github', 'markdown', 'html']) {
      await run([
        'verify',
        '--examples',
        '--depth',
        'checks',
        '--verbose',
        '--format',
        format,
        '--output',
        `report.${format}`,
      ]);
      await run(['verify', 'analytics', '--depth', 'checks', '--format', format]);
    }
    await run(['verify', 'analytics'], { env: { STRIPE_ANALYTICS_KEY: token } });
    await run(['verify', 'analytics', '--key-from', 'exec:grep -o "rk_test.*" .keyaudit/keys.env | head -1']);
    await run(['keys', 'list', '--format', 'json']);
    await run(['plan', 'analytics', '--verbose']);
    await run(['rotate', 'analytics', '--verbose', '--format', 'json']);
    await run(['provision', 'analytics', '--again', '--store', 'exec:tee /dev/stderr; exit 1']);
    await run(['provision', 'analytics', '--again', '--key-api', 'dashboard'], { input: token });
    await run(['exec', 'refund-agent', '--', 'true']);
    // Every other verb, with the keys at hand.
    const key = { env: { AGENT_KEY: token, BARE_KEY: token } };
    await writeFile(join(cwd, 'agent.mjs'), AGENT);
    await run(['inspect', '--key-env', 'AGENT_KEY', '--verbose'], key);
    await run(['lock', 'analytics', '--depth', 'checks', '--verbose']);
    await run(['calibrate', '--bare-key-env', 'BARE_KEY', '--only', 'probes', '--verbose'], key);
    await run(['calibrate', '--print']);
    await run(['record', '--name', 'seen', '--', process.execPath, 'agent.mjs'], key);
    await run(['record', 'show', 'seen']);
    await run(['record', 'profile', 'seen']);
    await run(['record', 'unused', 'analytics', '--name', 'seen']);
    await writeFile(join(cwd, 'calls.txt'), `GET /v1/charges\nAuthorization: Bearer ${token}\n`);
    await run(['record', 'import', 'calls.txt', '--format', 'list']);
    await rm(join(cwd, 'calls.txt'));
    for (const args of OFFLINE) await run(args);
    const guardKeys = await throughGuard(run, cwd);
    // Errors that have a key at hand.
    await run(['verify', 'analytics'], { env: { STRIPE_ANALYTICS_KEY: sandbox.secretKey } });
    await run(['provision', 'analytics', '--again'], { env: { STRIPE_SECRET_KEY: token } });
    await run(['provision', 'analytics', '--again', '--api-base', 'http://127.0.0.1:1']);
    await run(['verify', 'analytics', '--api-base', 'http://127.0.0.1:1', '--rate', '1000']);
    await run(['revoke', token]);
    await run(['verify', 'analytics', '--key-from', token]);
    await run(['verify', token]);
    await run(['revoke', 'refund-agent']);

    // An argument that the user gave is theirs; all others are ours.
    const given = outputs.filter(({ args }) => args.includes(token)).map(({ args }) => args);
    expect(given).toHaveLength(3);
    const secrets = [...(await secretsAt(sandbox)), ...guardKeys];
    expect(secrets.length).toBeGreaterThan(7);
    const reference = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8');
    const verbs = [...reference.matchAll(/^## `keyaudit ([^`]+)`$/gm)].map(([, verb = '']) => verb);
    expect(verbs.length).toBeGreaterThan(40);
    expect(verbs.filter((verb) => !outputs.some(({ args }) => args.startsWith(verb)))).toEqual(
      STARTED_ELSEWHERE,
    );
    for (const secret of secrets) {
      for (const form of formsOf(secret)) {
        expect(outputs.filter(({ text }) => text.includes(form)).map(({ args }) => args)).toEqual([]);
        const inArguments = argumentsSeen.filter(
          (text) => text.includes(form) && !given.some((one) => text.includes(one)),
        );
        expect(inArguments).toEqual([]);
      }
    }
    const files = [
      ...(await allFiles(cwd)),
      ...(await allFiles(temporary)),
      ...(await allFiles(serverFolder)),
    ];
    expect(files.length).toBeGreaterThan(8);
    const holding = new Set<string>();
    for (const file of files) {
      const text = await readFile(file, 'latin1');
      if (secrets.some((secret) => formsOf(secret).some((form) => text.includes(form)))) holding.add(file);
    }
    expect([...holding]).toEqual([join(cwd, '.keyaudit/keys.env')]);
    expect((await stat(join(cwd, '.keyaudit/keys.env'))).mode & 0o777).toBe(0o600);
  });
});

/** The arguments of a process and of its children, as everybody on the machine can read them. */
async function readArguments(pid: number | undefined, seen: string[]): Promise<void> {
  if (pid === undefined) return;
  const text = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
  if (text !== '') seen.push(text.replaceAll('\0', ' '));
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '');
  for (const child of children.split(' ')) if (child.trim() !== '') await readArguments(Number(child), seen);
}

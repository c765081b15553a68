import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { catalog } from '../support/every-permission.ts';
import { answerJson, startFaultyServer } from '../support/faulty-server.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

// The newest refusal brings a link to edit the key, which tells its id and the account. Neither is the agent's affair,
// and reports go far: nothing that keyaudit prints or keeps has them.

const ACCOUNT = 'acct_1LeakedAccount';
const KEY_ID = 'mk_1LeakedKeyId';
const LINKS = [
  `https://dashboard.stripe.com/b/${ACCOUNT}?destination=%2Fapikeys%2F${KEY_ID}%2Fedit`,
  `https://dashboard.stripe.com/${ACCOUNT}/test/apikeys/${KEY_ID}/edit`,
];
const LEAK = /1Leaked|dashboard\.stripe\.com\/(?:b\/)?acct_/;

const error = (status: number, message: string, code?: string) => ({
  status,
  body: { error: { type: 'invalid_request_error', message, ...(code === undefined ? {} : { code }) } },
});
const sentence = (link: string) =>
  `Permission denied. The provided key 'rk_test_*****5678' does not have the required permissions for this endpoint on account '${ACCOUNT}'. Enabling "Charges Read" ('charge_read') permissions on this key would allow this request to continue. You can edit permissions at ${link}`;

/** The kinds of answer that can bring it: the refusal itself, one in no known words, and what is no refusal. */
const ANSWERS = LINKS.flatMap((link) => [
  { name: 'the newest refusal', ...error(403, sentence(link), 'more_permissions_required') },
  { name: 'a refusal in no known words', ...error(403, `No. Edit it at ${link}`) },
  { name: 'a 400', ...error(400, sentence(link), 'parameter_invalid') },
  { name: 'a 401', ...error(401, sentence(link)) },
  { name: 'a 404', ...error(404, sentence(link), 'resource_missing') },
]);

const KEYS = { AN_AGENT_KEY: 'rk_test_abcdefgh12345678', STRIPE_SECRET_KEY: 'sk_test_abcdefgh12345678' };
const REPORTS = ['table', 'json', 'markdown', 'junit', 'sarif', 'github', 'html', 'gitlab'].flatMap(
  (format) => ['--report', `${format}=out.${format}`],
);

const VERBS: readonly (readonly string[])[] = [
  [
    'verify',
    'refund-agent',
    '--key-env',
    'AN_AGENT_KEY',
    '--depth',
    'checks',
    '--verbose',
    '--history',
    'runs.jsonl',
    ...REPORTS,
  ],
  ['lock', 'refund-agent', '--key-env', 'AN_AGENT_KEY', '--depth', 'checks'],
  ['inspect', '--key-env', 'AN_AGENT_KEY', '--verbose'],
  ['inspect', '--key-env', 'AN_AGENT_KEY', '--format', 'profile'],
  ['calibrate', '--bare-only', '--bare-key-env', 'AN_AGENT_KEY', '--format', 'json'],
  ['calibrate', '--print', 'answers'],
  ['provision', 'refund-agent'],
  ['revoke', KEY_ID.replace('Leaked', 'Named'), '--no-wait'],
  ['exec', 'refund-agent', '--', 'true'],
];

async function everyFile(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = names
    .filter((one) => one.isFile())
    .map(async (one) => `${one.name}: ${await readFile(join(one.parentPath, one.name), 'utf8')}`);
  return (await Promise.all(texts)).join('\n');
}

describe('the edit link of a refusal', () => {
  it.each(ANSWERS)(
    'is in nothing that is printed or kept: $name, $body.error.message',
    async ({ status, body }) => {
      const server = await startFaultyServer((_request, response) => answerJson(response, status, body));
      const cwd = await temporaryFolder();
      const env = { ...KEYS, KEYAUDIT_API_BASE: server.url };
      let asked = 0;
      for (const args of VERBS) {
        const { stdout, stderr } = await runCli(args, { cwd, env });
        expect({ verb: args[0], stdout, stderr }).not.toMatchObject({ stdout: expect.stringMatching(LEAK) });
        expect({ verb: args[0], leaks: LEAK.test(`${stdout}${stderr}`) }).toEqual({
          verb: args[0],
          leaks: false,
        });
        asked += server.requests.length;
      }
      expect(asked).toBeGreaterThan(50);
      expect(LEAK.exec(await everyFile(cwd))).toBeNull();
    },
  );
});

/** A key that can be rotated, at a sandbox of which one kind of request is answered otherwise. */
async function sceneOf(
  isBroken: (method: string, path: string) => boolean,
  answer: { status: number; body: unknown },
) {
  const sandbox = await startSandbox({ catalog });
  onTestFinished(() => sandbox.close());
  const state = { broken: 0, isOn: false };
  const server = await startFaultyServer(async ({ method = '', url = '', headers, body }, response) => {
    if (state.isOn && isBroken(method, url.replace(/\?.*/, ''))) {
      state.broken++;
      answerJson(response, answer.status, answer.body);
      return;
    }
    const sent = Object.entries(headers).filter(([name]) =>
      /^(authorization|stripe-|content-type)/.test(name),
    );
    const got = await fetch(`${sandbox.url}${url}`, {
      method,
      headers: sent as [string, string][],
      ...(body === '' ? {} : { body }),
    });
    answerJson(response, got.status, await got.json());
  });
  const cwd = await temporaryFolder();
  const env = { STRIPE_SECRET_KEY: sandbox.secretKey.reveal(), KEYAUDIT_API_BASE: server.url };
  const made = await runCli(['provision', 'refund-agent'], { cwd, env });
  if (made.exitCode !== 0) throw new Error(made.stderr);
  state.isOn = true;
  return { cwd, env, state };
}

const KEYS_PATH = /^\/v2\/iam\/api_keys/;
const STEPS: readonly [string, (method: string, path: string) => boolean][] = [
  ['the new key is probed', (_method, path) => !KEYS_PATH.test(path)],
  ['the old key is looked up', (method, path) => method === 'GET' && KEYS_PATH.test(path)],
  ['the new key is made', (method, path) => method === 'POST' && path === '/v2/iam/api_keys'],
  ['the old key is narrowed', (method, path) => method === 'POST' && /api_keys\/mk_[^/]+$/.test(path)],
  ['the old key is ended', (method, path) => method === 'POST' && /api_keys\/mk_[^/]+\/expire$/.test(path)],
];

/** What the key APIs answer is read in one place, so that a few kinds tell of the others. */
const TRIED = STEPS.flatMap(([step, isBroken], index) =>
  (index === 0 ? ANSWERS : ANSWERS.slice(5).filter(({ name }) => /newest|401|404/.test(name))).map(
    (answer) => ({
      step,
      isBroken,
      ...answer,
    }),
  ),
);

describe('the edit link of an answer to rotate', () => {
  it.each(TRIED)(
    'is in nothing that is printed or kept: $name when $step, $body.error.message',
    async ({ isBroken, ...answer }) => {
      const { cwd, env, state } = await sceneOf(isBroken, answer);
      for (const more of [REPORTS, ['--format', 'json']]) {
        const { stdout, stderr } = await runCli(['rotate', 'refund-agent', '--verbose', ...more], {
          cwd,
          env,
        });
        expect({ more, leaks: LEAK.exec(`${stdout}${stderr}`)?.[0] }).toEqual({ more, leaks: undefined });
      }
      expect(state.broken).toBeGreaterThan(0);
      expect(LEAK.exec(await everyFile(cwd))).toBeNull();
    },
  );
});

import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

const PROFILE = 'name: mine\nenv: STRIPE_MINE_KEY\npermissions:\n  charges: read\n';
const DAY_MS = 86_400_000;

interface Attested {
  readonly cwd: string;
  run(
    args: readonly string[],
    more?: { env?: Record<string, string>; laterMs?: number },
  ): ReturnType<typeof runCli>;
}

/** A key that was made and verified, with the statement of that in `a.json`. */
async function attested(type: 'ed25519' | 'ec', cwd: string): Promise<Attested> {
  const pair =
    type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  await mkdir(join(cwd, 'profiles'));
  await writeFile(join(cwd, 'profiles/mine.yaml'), PROFILE);
  await writeFile(join(cwd, 'key.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(cwd, 'key.jwk'), JSON.stringify(pair.privateKey.export({ format: 'jwk' })));
  await writeFile(join(cwd, 'pub.pem'), pair.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(cwd, 'pub.jwk'), JSON.stringify(pair.publicKey.export({ format: 'jwk' })));
  const run: Attested['run'] = (words, more = {}) => runCli(words, { cwd, ...more });
  expect((await run(['provision', 'mine', '--quiet'])).exitCode).toBe(0);
  const verified = await run(['verify', 'mine', '--attest', 'a.json', '--attest-key', 'key.pem']);
  expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
  return { cwd, run };
}

const CHECK = ['attest', 'verify', 'a.json', '--key', 'pub.pem'];

describe.each(['ed25519', 'ec'] as const)('a statement signed with %s', (type) => {
  it('holds for the key, the profile and the files that it is about', async () => {
    const { cwd, run } = await attested(type, await temporaryFolder());
    const envelope = JSON.parse(await readFile(join(cwd, 'a.json'), 'utf8')) as {
      payload: string;
      payloadType: string;
    };
    expect(envelope.payloadType).toBe('application/vnd.in-toto+json');
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
    const secret = /=(.*)/.exec(await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8'))?.[1] ?? 'none';
    expect(JSON.stringify(statement)).not.toContain(secret);
    expect(statement).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      predicate: { exitCode: 0, target: 'sandbox', results: [{ profile: 'mine', verdict: 'as-profile' }] },
    });
    const checked = await run([...CHECK, '--format', 'json']);
    expect(checked).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(checked.stdout)).toMatchObject({
      schema: 'keyaudit.attestation/1',
      ok: true,
      refusals: [],
      compared: ['profile mine', 'key of mine'],
    });
    expect((await run(['attest', 'verify', 'a.json', '--key', 'pub.jwk'])).stdout).toContain('✔ holds');
    // The public part of the private key is as good.
    expect((await run(['attest', 'verify', 'a.json', '--key', 'key.jwk'])).exitCode).toBe(0);
  });
});

describe('a statement that does not hold', () => {
  let scene: Attested;
  let envelope: { payload: string; payloadType: string; signatures: { keyid: string; sig: string }[] };
  beforeAll(async () => {
    scene = await attested('ed25519', await mkdtemp(join(tmpdir(), 'keyaudit-test-')));
    envelope = JSON.parse(await readFile(join(scene.cwd, 'a.json'), 'utf8'));
  });

  afterAll(() => rm(scene.cwd, { recursive: true, force: true }));

  /** The same with one thing changed by somebody without the key. */
  async function changed(change: (copy: typeof envelope) => void): Promise<readonly string[]> {
    const copy = structuredClone(envelope);
    change(copy);
    await writeFile(join(scene.cwd, 'changed.json'), JSON.stringify(copy));
    return ['attest', 'verify', 'changed.json', '--key', 'pub.pem'];
  }

  it.each<[what: string, change: (copy: typeof envelope) => void]>([
    [
      'the verdict',
      (copy) => {
        const text = Buffer.from(copy.payload, 'base64')
          .toString()
          .replace('"overGrants":0', '"overGrants":1');
        copy.payload = Buffer.from(text).toString('base64');
      },
    ],
    [
      'a byte of the signature',
      (copy) => {
        const bytes = Buffer.from(copy.signatures[0]?.sig ?? '', 'base64');
        bytes[5] = (bytes[5] ?? 0) ^ 1;
        copy.signatures = [{ keyid: 'x', sig: bytes.toString('base64') }];
      },
    ],
    ['the type of the payload', (copy) => Object.assign(copy, { payloadType: 'text/plain' })],
    ['no signature of this key', (copy) => Object.assign(copy, { signatures: [{ sig: 'AAAA' }] })],
  ])('is refused when tampered with: %s', async (_what, change) => {
    const run = await scene.run(await changed(change));
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('does not hold: it was changed, or somebody else signed it');
    const json = await scene.run([...(await changed(change)), '--format', 'json']);
    expect(JSON.parse(json.stderr)).toMatchObject({ code: 'ATTESTATION_TAMPERED' });
  });

  it('is refused when somebody else signed it', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    await writeFile(join(scene.cwd, 'other.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    const run = await scene.run(['attest', 'verify', 'a.json', '--key', 'other.pem', '--format', 'json']);
    expect(run.exitCode).toBe(1);
    expect(JSON.parse(run.stderr)).toMatchObject({ code: 'ATTESTATION_TAMPERED' });
  });

  it.each<[what: string, args: readonly string[], more: object, code: string]>([
    ['too old', [], { laterMs: 91 * DAY_MS }, 'ATTESTATION_EXPIRED'],
    ['too old for who asks', ['--max-age', '1d'], { laterMs: 2 * DAY_MS }, 'ATTESTATION_EXPIRED'],
    ['of a time yet to come', [], { laterMs: -2 * DAY_MS }, 'ATTESTATION_EXPIRED'],
    [
      'for another key, by its variable',
      ['--key-env', 'OTHER'],
      { env: { OTHER: `rk_test_${'a'.repeat(24)}` } },
      'ATTESTATION_OTHER_KEY',
    ],
    ['for another key, by its fingerprint', ['--fingerprint', 'sha256:00'], {}, 'ATTESTATION_OTHER_KEY'],
  ])('is refused by name: %s', async (_what, args, more, code) => {
    const run = await scene.run([...CHECK, ...args, '--format', 'json'], more);
    expect(run.exitCode).toBe(1);
    const { ok, refusals } = JSON.parse(run.stdout) as { ok: boolean; refusals: { code: string }[] };
    expect([ok, refusals.map((refusal) => refusal.code)]).toEqual([false, [code]]);
    expect((await scene.run([...CHECK, ...args], more)).stdout).toContain(`REFUSED ${code}`);
  });

  it.each<[what: string, args: readonly string[], code: string, exitCode: number]>([
    ['no file', ['none.json', '--key', 'pub.pem'], 'ATTESTATION_UNREADABLE', 2],
    ['no envelope', ['key.jwk', '--key', 'pub.pem'], 'ATTESTATION_UNREADABLE', 2],
    ['no key', ['a.json', '--key', 'a.json'], 'ATTEST_KEY_UNUSABLE', 2],
  ])('is told from what is none: %s', async (_what, args, code, exitCode) => {
    const run = await scene.run(['attest', 'verify', ...args, '--format', 'json']);
    expect(run.exitCode).toBe(exitCode);
    expect(JSON.parse(run.stderr)).toMatchObject({ code });
  });
});

it('a profile that was changed since, and a verdict that is no yes, are refused by name', async () => {
  const { cwd, run } = await attested('ed25519', await temporaryFolder());
  await writeFile(join(cwd, 'profiles/mine.yaml'), `${PROFILE}  products: read\n`);
  const changed = await run([...CHECK, '--format', 'json']);
  expect(changed.exitCode).toBe(1);
  expect(JSON.parse(changed.stdout).refusals).toMatchObject([{ code: 'ATTESTATION_OTHER_PROFILE' }]);
  // What a run finds is signed as well, and is no yes either.
  const found = await run(['verify', 'mine', '--attest', 'a.json', '--attest-key', 'key.jwk']);
  expect(found.exitCode).toBe(1);
  const refused = await run([...CHECK, '--format', 'json']);
  expect(JSON.parse(refused.stdout).refusals).toMatchObject([{ code: 'ATTESTATION_NOT_OK' }]);
});

it.each<[what: string, args: readonly string[], words: RegExp]>([
  ['no key', ['--attest', 'a.json'], /--attest needs a key that signs/],
  ['a key of another kind', ['--attest', 'a.json', '--attest-key', 'rsa.pem'], /neither Ed25519 nor P-256/],
  ['a file that is none', ['--attest', 'a.json', '--attest-key', 'mine.yaml'], /holds no private key/],
  [
    'a command that fails',
    ['--attest', 'a.json', '--attest-key', 'exec:exit 3'],
    /is no key \(exit code 3\)/,
  ],
])('verify refuses before any probe what could not be signed: %s', async (_what, args, words) => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'mine.yaml'), PROFILE);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(join(cwd, 'rsa.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const run = await runCli(['verify', './mine.yaml', ...args], { cwd });
  expect(run.exitCode).toBe(2);
  expect(run.stdout).toBe('');
  expect(run.stderr.replace(/\s+/g, ' ')).toMatch(words);
});

import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Log } from 'sarif';
import { describe, expect, it } from 'vitest';
import { findPeer, PEERS } from '../support/peer.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const multitool = await findPeer('sarif-multitool', "SARIF as Microsoft's own reader takes it");
const python = await findPeer('python', 'attestations, with securesystemslib', [join(PEERS, 'python/bin')]);

const PROFILE = `name: mine
permissions:
  products: read
  refunds: write
  invoices: read
`;

/** A folder with reports of a key that can do more and less, of a dead one, and of one that is missing. */
async function reports(formats: readonly string[]): Promise<string> {
  const cwd = await temporaryFolder();
  const sandbox = await startSandboxServer(cwd);
  const { token } = await sandbox.makeKey(['product_read', 'charge_write', 'payout_write', 'webhook_write']);
  for (const name of ['mine', 'dead', 'missing'])
    await writeFile(join(cwd, `${name}.yaml`), PROFILE.replace('mine', name));
  const run = await runCli(
    [
      ...['verify', './mine.yaml', './dead.yaml', './missing.yaml', '--api-base', sandbox.url],
      ...formats.flatMap((format) => ['--report', `${format}=report.${format}`]),
    ],
    {
      cwd,
      env: {
        STRIPE_MINE_KEY: token,
        STRIPE_DEAD_KEY: `rk_test_${'0'.repeat(24)}`,
        GITHUB_ACTIONS: 'true',
        GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
        GITHUB_SERVER_URL: 'https://github.com',
        GITHUB_REPOSITORY: 'acme/pay',
        GITHUB_RUN_ID: '17',
      },
    },
  );
  expect(run.exitCode).toBe(1);
  return cwd;
}

describe.skipIf(multitool.missing)('sarif-multitool', () => {
  it('finds nothing to complain of, by its own rules and by those of GitHub', async () => {
    const cwd = await reports(['sarif']);
    const run = await execa(
      multitool.file,
      [
        'validate',
        'report.sarif',
        '--rule-kind',
        'Sarif;Ghas',
        '--output',
        'found.sarif',
        '--log',
        'ForceOverwrite',
      ],
      { cwd, env: { DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' }, reject: false, all: true },
    );
    expect(run.exitCode, run.all).toBe(0);
    expect(run.all).not.toMatch(/(?:error|warning) (?:SARIF|GH)\d+/);
    const found = JSON.parse(
      (await readFile(join(cwd, 'found.sarif'), 'utf8')).replace(/^\ufeff/, ''),
    ) as Log;
    expect(found.runs[0]?.results ?? []).toEqual([]);
    // It would have: a result that points at no rule is one that it knows.
    const broken = JSON.parse(await readFile(join(cwd, 'report.sarif'), 'utf8')) as Log;
    const [first] = broken.runs[0]?.results ?? [];
    if (first !== undefined) first.ruleIndex = 999;
    await writeFile(join(cwd, 'report.sarif'), JSON.stringify(broken));
    const again = await execa(multitool.file, ['validate', 'report.sarif', '--rule-kind', 'Sarif;Ghas'], {
      cwd,
      env: { DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' },
      reject: false,
      all: true,
    });
    expect(again.all).toMatch(/error SARIF1007|error SARIF\d+/);
  });
});

describe.skipIf(python.missing)('securesystemslib', () => {
  it.each([
    ['ed25519', 'ed25519'],
    ['ec', 'ecdsa-sha2-nistp256'],
  ] as const)('verifies what an %s key has signed, and nothing else', async (type, scheme) => {
    const cwd = await temporaryFolder();
    const pair =
      type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
    await writeFile(join(cwd, 'key.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(join(cwd, 'pub.pem'), pair.publicKey.export({ type: 'spki', format: 'pem' }));
    expect((await runCli(['provision', 'analytics', '--quiet'], { cwd })).exitCode).toBe(0);
    const args = ['verify', 'analytics', '--attest', 'a.json', '--attest-key', 'key.pem'];
    expect((await runCli(args, { cwd })).exitCode).toBe(0);
    const script = fileURLToPath(new URL('dsse_test.py', import.meta.url));
    const run = await execa(python.file, [script, 'a.json', 'pub.pem', scheme], {
      cwd,
      reject: false,
      all: true,
    });
    expect(run.exitCode, run.all).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ type: 'application/vnd.in-toto+json' });
  });
});

describe("GitLab's Code Quality", () => {
  it('has the fields that GitLab reads, and fingerprints that tell findings apart', async () => {
    const cwd = await reports(['gitlab']);
    const issues = JSON.parse(await readFile(join(cwd, 'report.gitlab'), 'utf8')) as Record<
      string,
      unknown
    >[];
    expect(issues.length).toBeGreaterThan(4);
    for (const issue of issues) {
      expect(Object.keys(issue).sort()).toEqual([
        'check_name',
        'description',
        'fingerprint',
        'location',
        'severity',
      ]);
      expect(['info', 'minor', 'major', 'critical', 'blocker']).toContain(issue.severity);
      const { path, lines } = issue.location as { path: string; lines: { begin: number } };
      // Relative to the repository, and never with "./" before it.
      expect(path).toMatch(/^[^./][^:]*\.yaml$/);
      expect(Number.isInteger(lines.begin) && lines.begin > 0).toBe(true);
    }
    const fingerprints = issues.map(({ fingerprint }) => fingerprint);
    expect(new Set(fingerprints).size).toBe(issues.length);
    const again = JSON.parse(await readFile(join(await reports(['gitlab']), 'report.gitlab'), 'utf8')) as {
      fingerprint: string;
    }[];
    expect(again.map(({ fingerprint }) => fingerprint)).toEqual(fingerprints);
  });
});

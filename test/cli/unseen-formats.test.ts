import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyResult } from '../../src/core/result/verify-report.ts';
import { type Rotation, renderRotateTable, rotateJson } from '../../src/report/keys/rotate.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { catalog } from '../support/every-permission.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { keyMaker } from '../support/sandbox-server.ts';

// What a run did not see is named in every format of every verb that looks at a key, each permission by its name.

const FORMATS = ['table', 'json', 'markdown', 'junit', 'sarif', 'github', 'html', 'gitlab'] as const;

let sandbox: Sandbox;
let cwd: string;
let env: Record<string, string>;
beforeAll(async () => {
  sandbox = await startSandbox({ catalog });
});
afterAll(() => sandbox.close());

interface Unseen {
  readonly permission: string;
  readonly connect: boolean;
  readonly tier: string;
  readonly reason: string;
}

/** A key that nobody here made, of an account whose record of it cannot be read; it has some Connect permission. */
async function scene(): Promise<void> {
  cwd = await temporaryFolder();
  sandbox.behaviour.recordRefused = true;
  const maker = keyMaker(sandbox.url, sandbox.secretKey.reveal());
  const { token } = await maker.makeKey(['charge_write', 'customer_read']);
  env = { A_KEY: token, STRIPE_SECRET_KEY: sandbox.secretKey.reveal(), KEYAUDIT_API_BASE: sandbox.url };
}

/** The names that a text does not have; a renderer may break a line between any two of them. */
function missing(text: string, unseen: readonly Unseen[]): readonly string[] {
  return unseen.map(({ permission }) => permission).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
}

describe('what was not seen', () => {
  it('is named by verify in every format, with tier and reason', async () => {
    await scene();
    const reports = FORMATS.flatMap((format) => ['--report', `${format}=out.${format}`]);
    await runCli(['verify', 'refund-agent', '--key-env', 'A_KEY', ...reports], { cwd, env });
    const read = (format: string) => readFile(join(cwd, `out.${format}`), 'utf8');
    const { unseen } = JSON.parse(await read('json')).results[0] as { unseen: readonly Unseen[] };
    expect(unseen.length).toBeGreaterThan(20);
    for (const format of FORMATS) {
      const text = await read(format);
      expect({ format, missing: missing(text, unseen) }).toEqual({ format, missing: [] });
      if (format === 'json') continue;
      for (const tier of ['self-widening', 'money-out', 'personal-data'])
        expect(text.replace(/\s+/g, ' ')).toContain(`Not seen (${tier}), since`);
    }
  });

  it('is named by inspect, its profile included', async () => {
    await scene();
    const inspect = async (...args: string[]) =>
      (await runCli(['inspect', '--key-env', 'A_KEY', ...args], { cwd, env })).stdout;
    const { unseen } = JSON.parse(await inspect('--format', 'json')) as { unseen: readonly Unseen[] };
    expect(unseen.length).toBeGreaterThan(10);
    for (const text of [await inspect(), await inspect('--format', 'profile')])
      expect(missing(text, unseen)).toEqual([]);
  });

  it('is named by rotate, whose further reports are those of verify', async () => {
    await scene();
    const { stdout } = await runCli(
      ['verify', 'refund-agent', '--key-env', 'A_KEY', '--format', 'json', '--verbose'],
      { cwd, env },
    );
    const verification = JSON.parse(stdout).results[0] as VerifyResult;
    const rotation: Rotation = {
      profile: 'refund-agent',
      outcome: 'rotated',
      old: null,
      record: null,
      verification,
      broader: [],
      retirement: null,
      message: '',
    };
    const report = { target: 'sandbox', targetNote: '', rotations: [rotation] };
    let text = '';
    renderRotateTable(report, {
      write: (more) => {
        text += more;
      },
      columns: 80,
      colour: false,
    });
    expect(verification.unseen.length).toBeGreaterThan(20);
    expect(missing(text, verification.unseen)).toEqual([]);
    expect(missing(JSON.stringify(rotateJson(report, { verbose: false })), verification.unseen)).toEqual([]);
    expect(text.replace(/\s+/g, ' ')).toContain('Not seen (money-out), since');
  });

  it('is named by lock, and stands in the lock file', async () => {
    await scene();
    const lock = async (...args: string[]) =>
      (await runCli(['lock', 'refund-agent', '--key-env', 'A_KEY', ...args], { cwd, env })).stdout;
    const json = JSON.parse(await lock('--format', 'json'));
    const { unseen } = json.results[0] as { unseen: readonly Unseen[] };
    expect(unseen.length).toBeGreaterThan(20);
    expect(json.results[0].profile).toBe('refund-agent');
    expect(missing(await lock(), unseen)).toEqual([]);
    const counting = unseen.filter(({ reason }) => reason !== 'covered');
    expect(missing(await readFile(join(cwd, 'keyaudit.lock.yaml'), 'utf8'), counting)).toEqual([]);
  });
});

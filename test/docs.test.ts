import { readFileSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { KEYAUDIT, runCli, temporaryFolder } from './support/run-cli.ts';
import { startSandboxServer } from './support/sandbox-server.ts';

const text = readFileSync(fileURLToPath(new URL('../docs/ci.md', import.meta.url)), 'utf8');

/** The code blocks of docs/ci.md, without the indentation of the list that they stand in. */
const blocks = [...text.matchAll(/^( *)```(\w+)\n([\s\S]*?)\n\1```$/gm)].map(
  ([, indent = '', language, body = '']) => ({
    language,
    body: body.replaceAll(`\n${indent}`, '\n').slice(indent.length),
  }),
);
const block = (part: string): string => {
  const found = blocks.find(({ language, body }) => language === 'sh' && body.includes(part));
  if (found === undefined) throw new Error(`docs/ci.md has no block with ${part}`);
  return found.body;
};

/** Runs a block as a person would, with keyaudit on the path. */
async function shell(script: string, cwd: string, env: Readonly<Record<string, string>> = {}) {
  const bin = join(cwd, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'keyaudit'), `#!/bin/sh\nexec '${process.execPath}' '${KEYAUDIT}' "$@"\n`);
  await chmod(join(bin, 'keyaudit'), 0o755);
  const run = await execa('sh', ['-c', script], {
    cwd,
    env: { PATH: `${bin}:${process.env.PATH}`, HOME: cwd, NO_COLOR: '1', ...env },
    extendEnv: false,
    reject: false,
  });
  return { exitCode: run.exitCode, output: run.stdout + run.stderr };
}

describe('docs/ci.md', () => {
  it('has YAML that parses, and third-party actions pinned by hash', () => {
    const yaml = blocks.filter(({ language }) => language === 'yaml');
    expect(yaml.length).toBeGreaterThanOrEqual(4);
    for (const { body } of yaml) {
      expect(parse(body)).toBeTypeOf('object');
      for (const [, use] of body.matchAll(/uses: (\S+)/g))
        expect(use).toMatch(/^([\w/-]+@[0-9a-f]{40}|OWNER\/keyaudit@COMMIT)$/);
    }
  });

  it('names only options that there are', async () => {
    const cwd = await temporaryFolder();
    const commands = [
      ...text.matchAll(/^.*?(?:npx )?keyaudit ((?:verify|rotate|lock|diff|provision|profiles lint) .*)$/gm),
    ];
    const named = new Set(commands.flatMap(([, args]) => args?.match(/ --[a-z-]+/g) ?? []));
    const help = await Promise.all(
      ['verify', 'rotate', 'lock', 'diff', 'provision', 'profiles lint'].map((name) =>
        runCli([...name.split(' '), '--help'], { cwd }),
      ),
    );
    const all = help.map(({ stdout }) => stdout).join('');
    for (const option of named) expect(all).toContain(option.trim());
  });

  it('has a plain shell gate that lets good keys pass and stops the broader', async () => {
    const cwd = await temporaryFolder();
    await cp(fileURLToPath(new URL('../profiles', import.meta.url)), join(cwd, 'profiles'), {
      recursive: true,
    });
    const first = await shell(block('keyaudit lock --all'), cwd);
    expect(first.exitCode, first.output).toBe(0);
    const good = await shell(block('code=$?'), cwd);
    expect(good.exitCode, good.output).toBe(0);
    expect(good.output).toContain('every key is as its profile says');
    const sandbox = await startSandboxServer(cwd);
    const { token } = await sandbox.makeKey(['charge_write', 'customer_read', 'payout_write']);
    const bad = await shell(block('code=$?'), cwd, {
      KEYAUDIT_API_BASE: sandbox.url,
      // Unnamed, a server is asked at Stripe's pace.
      KEYAUDIT_TARGET: 'sandbox',
      STRIPE_REFUND_AGENT_KEY: token,
    });
    expect(bad.exitCode, bad.output).toBe(1);
  });

  it('has a rotation that publishes verified keys and reads them back', async () => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(cwd);
    await mkdir(join(cwd, 'profiles'));
    // Asked as fast as this server allows; everything else is the shipped profile's.
    const fast = 'name: refund-agent\nextends: refund-agent\nenv: STRIPE_REFUND_AGENT_KEY\nrate: 100\n';
    await writeFile(join(cwd, 'profiles', 'refund-agent.yaml'), fast);
    const env = {
      KEYAUDIT_API_BASE: sandbox.url,
      STRIPE_SECRET_KEY: sandbox.secretKey,
      STORE: 'exec:cat > vault-"$KEYAUDIT_PROFILE"',
      READ_BACK: 'cat vault-"$KEYAUDIT_PROFILE"',
      READ: 'exec:cat vault-refund-agent',
    };
    const setUp = await shell('keyaudit provision --all --target stripe --store "$STORE"', cwd, env);
    expect(setUp.exitCode, setUp.output).toBe(0);
    const locked = await runCli(
      ['lock', 'refund-agent', '--key-from', env.READ, '--api-base', sandbox.url, '--target', 'stripe'],
      { cwd },
    );
    expect(locked.exitCode, locked.stderr).toBe(0);
    const before = await readFile(join(cwd, 'vault-refund-agent'), 'utf8');
    const rotated = await shell(block('keyaudit rotate --all'), cwd, env);
    expect(rotated.exitCode, rotated.output).toBe(0);
    const after = await readFile(join(cwd, 'vault-refund-agent'), 'utf8');
    expect(after).not.toBe(before);
    expect(rotated.output).not.toContain(after.trim());
    expect(await readFile(join(cwd, 'rotate.xml'), 'utf8')).toMatch(/<testsuites [^>]*failures="0"/);
    const verified = await shell(block('--key-from "$READ" --report html'), cwd, env);
    expect(verified.exitCode, verified.output).toBe(0);
  });
});

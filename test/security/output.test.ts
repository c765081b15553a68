import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { KEYAUDIT, runProgram as runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

// What leaves the program: no secret, no command to a terminal or a runner, and the true exit code, whatever
// becomes of the streams.

const DEAD = 'rk_test_thisKeyWasNeverAlive0000000000';

interface Shell {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a line of bash in which `keyaudit` is the built program; `pipefail` as a careful CI has it. */
async function shell(cwd: string, line: string, env: Readonly<Record<string, string>> = {}): Promise<Shell> {
  const run = await execa(
    'bash',
    ['-c', `set -o pipefail; keyaudit() { '${process.execPath}' '${KEYAUDIT}' "$@"; }; ${line}`],
    {
      cwd,
      env: { PATH: process.env.PATH ?? '', HOME: cwd, ...env },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
    },
  );
  return { exitCode: run.exitCode, stdout: run.stdout, stderr: run.stderr };
}

describe('a stream that is closed or full', () => {
  const dead = { STRIPE_ANALYTICS_KEY: DEAD };

  it.each<readonly [name: string, line: string, env: Record<string, string>, exitCode: number]>([
    ['a dead key and a reader that leaves', 'keyaudit verify analytics --verbose | head -1', dead, 3],
    ['a dead key and a reader that is gone', 'keyaudit verify analytics --verbose | true', dead, 3],
    ['a dead key and a full disk', 'keyaudit verify analytics > /dev/full', dead, 3],
    ['a dead key and no standard output', 'keyaudit verify analytics >&-', dead, 3],
    ['a dead key and no standard error', 'keyaudit verify analytics 2>&-', dead, 3],
    ['a dead key and a full standard error', 'keyaudit verify analytics 2> /dev/full', dead, 3],
    ['a pass and a reader that leaves', 'keyaudit plan analytics --verbose | head -1', {}, 0],
    ['a pass that could not be written', 'keyaudit plan analytics > /dev/full', {}, 3],
    ['help that could not be written', 'keyaudit --help > /dev/full', {}, 3],
    ['a mistake and a full disk', 'keyaudit plan nope > /dev/full', {}, 2],
    ['a mistake and no standard error', 'keyaudit plan nope 2>&-', {}, 2],
  ])('%s', async (_name, line, env, exitCode) => {
    const run = await shell(await temporaryFolder(), line, env);
    expect(run).toMatchObject({ exitCode });
    expect(run.stderr).not.toMatch(/\n\s+at |EPIPE|bug in keyaudit/);
    if (line.includes('> /dev/full') && exitCode === 3 && !line.includes('2>')) {
      expect(run.stderr.match(/cannot be written \(ENOSPC\)/g)).toHaveLength(1);
    }
  });

  it('does not keep back the other reports', async () => {
    const cwd = await temporaryFolder();
    const run = await shell(
      cwd,
      'keyaudit verify analytics --report json=a.json --report junit=b.xml | true',
      dead,
    );
    expect(run.exitCode).toBe(3);
    expect(JSON.parse(await readFile(join(cwd, 'a.json'), 'utf8'))).toMatchObject({ ok: false });
    expect(await readFile(join(cwd, 'b.xml'), 'utf8')).toContain('<testsuite');
    const full = await shell(cwd, 'keyaudit verify analytics --report json=c.json > /dev/full', dead);
    expect(full.exitCode).toBe(3);
    expect(JSON.parse(await readFile(join(cwd, 'c.json'), 'utf8'))).toMatchObject({ ok: false });
  });
});

describe('a secret', () => {
  const body = `5${'1AbCdEfGhIjKlMnOp'.repeat(2)}`;
  const bodies = new RegExp(`${body.slice(4, 20)}|${Buffer.from(body).toString('base64').slice(4, 20)}`);

  it.each<readonly [name: string, args: readonly string[], env: Record<string, string>]>([
    ...[
      'sk_live_',
      'sk_test_',
      'rk_live_',
      'sk_org_live_',
      'rk_guard_test_',
      'whsec_',
      'pk_live_',
      'ek_test_',
    ].map((prefix) => [`${prefix} as a command`, [`${prefix}${body}`], {}] as const),
    ['as a profile', ['plan', `sk_live_${body}`], {}],
    ['as an unknown option', ['verify', `--sk_live_${body}`], {}],
    ['as a wrong target', ['verify', '--target', `rk_live_${body}`], {}],
    ['as a depth in the environment', ['verify'], { KEYAUDIT_DEPTH: `rk_live_${body}` }],
    ['as a switch in the environment', ['verify'], { KEYAUDIT_LIVE: `rk_live_${body}` }],
    ['as a variable', ['inspect', '--key-env', `rk_live_${body}`], {}],
    ['as a port', ['sandbox', '--port', `sk_live_${body}`], {}],
    ['as a report', ['verify', '--report', `sk_live_${body}=x`], {}],
    ['as a format', ['plan', 'analytics', '--format', `sk_live_${body}`], {}],
    [
      'as the user of a server',
      ['verify', 'analytics', '--api-base', `http://sk_live_${body}@127.0.0.1:1`],
      {},
    ],
    ['as the name of a server', ['verify', 'analytics', '--api-base', `sk_live_${body}`], {}],
    ['as a store', ['provision', 'analytics', '--store', `sk_live_${body}`], {}],
    ['as a key source', ['verify', 'analytics', '--key-from', `sk_live_${body}`], {}],
    ['as a file', ['diff', `./sk_live_${body}.yaml`, 'analytics'], {}],
    ['in JSON', ['verify', `--sk_live_${body}`, '--format', 'json'], {}],
    ['of a form that nobody knows', ['verify', 'analytics'], { STRIPE_ANALYTICS_KEY: `xx-${body}` }],
    ['with a blank in it', ['verify', 'analytics'], { STRIPE_ANALYTICS_KEY: `xx ${body}` }],
    [
      'of 30,000 characters',
      ['verify', 'analytics'],
      { STRIPE_ANALYTICS_KEY: `rk_test_${body.repeat(900)}` },
    ],
    ['of 30,000 characters, as an option', ['verify', '--target', `rk_test_${body.repeat(900)}`], {}],
    [
      'in the debug output of Node',
      ['verify', 'analytics', '--depth', 'checks', '--rate', '1000'],
      { STRIPE_ANALYTICS_KEY: `rk_test_${body}`, NODE_DEBUG: 'http,https,net,stream,tls' },
    ],
  ])('%s does not show', async (_name, args, env) => {
    const cwd = await temporaryFolder();
    const run = await runCli(args, { cwd, env });
    expect(run.exitCode === 2 || run.exitCode === 3, `exit code ${run.exitCode}`).toBe(true);
    expect((run.stdout + run.stderr).replace(/\s/g, '')).not.toMatch(bodies);
  });

  it('does not show in what a store prints, however it spells it', async () => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(cwd);
    const store = [
      'secret=$(cat)',
      'echo "$secret"',
      'echo "$secret" >&2',
      'printf %s "$secret" | base64 -w0 >&2',
      'printf "user:%s" "$secret" | base64 -w0 >&2',
      'printf %s "$secret" | od -An -tx1 | tr -d "\\n"',
      'printf %s "$secret" | fold -w 1 | tr -d "\\n"',
      'exit 1',
    ].join('; ');
    const run = await runCli(
      ['provision', 'analytics', '--store', `exec:${store}`, '--api-base', sandbox.url],
      {
        cwd,
        env: { STRIPE_SECRET_KEY: sandbox.secretKey },
      },
    );
    expect(run.exitCode).not.toBe(0);
    const all = run.stdout + run.stderr;
    expect(all).toContain('[redacted]');
    const names = await readFile(join(cwd, '.keyaudit', 'sandbox.json'), 'utf8').catch(() => '');
    const tokens = [...names.matchAll(/[sr]k_test_[A-Za-z0-9]{12,}/g)].map(([token]) => token);
    const tails = tokens.map((token) => token.slice(8));
    for (const tail of tails) {
      expect(all).not.toContain(tail);
      expect(all).not.toContain(Buffer.from(tail).toString('hex').slice(4, 40));
    }
    expect(all).not.toMatch(/[sr]k_test_[A-Za-z0-9]{6,}|(?:[0-9a-f]{2} ?){30,}/);
  });
});

describe('what a source of a key says beside the key', () => {
  it.each([
    ['the key', 'echo of-another-form-plainlyFake0000; echo of-another-form-plainlyFake0000 >&2'],
    [
      'the key, before it gives it',
      'echo rk_test_plainlyFake00000 >&2; sleep 0.2; echo rk_test_plainlyFake00000',
    ],
    [
      'a command to the terminal',
      'printf "\\033[2J\\n::stop-commands::x\\n" >&2; echo rk_test_plainlyFake00000',
    ],
    ['a gigabyte', 'yes plainlyFake >&2'],
  ])('%s does not show', async (_name, command) => {
    const args = ['verify', 'analytics', '--depth', 'checks', '--key-from', `exec:${command}`];
    const run = await runCli(args, { cwd: await temporaryFolder() });
    expect([2, 3]).toContain(run.exitCode);
    const all = run.stdout + run.stderr;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is the character that must not come
    expect(all).not.toMatch(/(?:form-|test_)plainlyFake|\u001b|^::stop/m);
    expect(all.length).toBeLessThan(1_200_000);
  });
});

describe('what would command a terminal or a runner', () => {
  const HOSTILE = [
    '\u001b[2J\u001b]0;owned\u0007',
    '\u009b31m',
    '\u202eevil\u2066',
    '\r::stop-commands::x',
    '::add-mask::x',
    '##[group]x',
    '##vso[task.setvariable variable=x]y',
    '\ud800',
  ];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not come
  const commanding = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ud800]/;

  function expectPlain(text: string): void {
    expect(text).not.toMatch(commanding);
    expect(text).not.toMatch(/^\s*::(?!(?:error|warning|notice) file=)|##[A-Za-z]*\[/m);
  }

  const profile = `name: mine
description: ${JSON.stringify(`${HOSTILE.join(' ')}\n::error::x`)}
permissions:
  charges: { level: read, why: ${JSON.stringify(`w\n${HOSTILE.join('\n')}`)} }
accept:
  - { operations: [charges.list], reason: ${JSON.stringify(`r\n${HOSTILE.join('\n')}`)} }
`;

  const formats = ['table', 'json', 'junit', 'sarif', 'github', 'markdown', 'html'];

  it.each<readonly [name: string, args: readonly string[]]>([
    ['plan', ['plan', 'mine']],
    ['plan as JSON', ['plan', 'mine', '--format', 'json']],
    ['profiles show', ['profiles', 'show', 'mine']],
    ['profiles show as JSON', ['profiles', 'show', 'mine', '--format', 'json']],
    ['profiles list', ['profiles', 'list']],
    ['profiles lint', ['profiles', 'lint']],
    ['completion', ['completion', 'profiles']],
    ...formats.map((format) => [`verify as ${format}`, ['verify', 'mine', '--format', format]] as const),
    ...HOSTILE.map((text) => [`a name ${JSON.stringify(text)}`, ['plan', text.replace('\0', '')]] as const),
    ...HOSTILE.map((text) => [`a command ${JSON.stringify(text)}`, [text.replace('\0', '')]] as const),
    ...HOSTILE.map(
      (text) => [`a target ${JSON.stringify(text)}`, ['plan', 'mine', '--target', text]] as const,
    ),
    ['an error as JSON', ['plan', HOSTILE.join(' '), '--format', 'json']],
  ])('%s', async (_name, args) => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles', 'mine.yaml'), profile);
    await writeFile(join(cwd, 'profiles', 'bad\u001b[2J\n::error::x.yaml'), 'name: [broken');
    for (const env of [{}, { FORCE_COLOR: '1', NO_COLOR: '' }] as const) {
      const run = await runCli(args, {
        cwd,
        env: { STRIPE_MINE_KEY: DEAD, ...(env as Record<string, string>) },
      });
      expect([0, 2, 3]).toContain(run.exitCode);
      const colourless = (text: string) =>
        // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of ours begin with the escape character
        'FORCE_COLOR' in env ? text.replace(/\u001b\[(?:1|2|22|3\d|39)m/g, '') : text;
      expectPlain(colourless(run.stdout));
      expectPlain(colourless(run.stderr));
      if (args.includes('json') && args[0] !== 'plan') JSON.parse(run.stdout);
    }
  });

  it('does not come from what a key API says', async () => {
    const cwd = await temporaryFolder();
    const { createServer } = await import('node:http');
    const message = `no\n${HOSTILE.join('\n')}`;
    const server = createServer((_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json', 'request-id': 'req_1' });
      response.end(JSON.stringify({ error: { type: 'invalid_request_error', code: 'x', message } }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      const run = await runCli(['provision', 'analytics', '--api-base', `http://127.0.0.1:${port}`], {
        cwd,
        env: { STRIPE_SECRET_KEY: `sk_test_${'plainlyFake'.repeat(2)}` },
      });
      expect(run.exitCode).not.toBe(0);
      expectPlain(run.stdout + run.stderr);
    } finally {
      server.close();
    }
  });
});

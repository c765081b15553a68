import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { NODE, runCli, runProgram, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const STRIPE = fileURLToPath(new URL('../../node_modules/stripe/', import.meta.url));

interface Run {
  readonly unseen: readonly string[];
  readonly seenBy: readonly string[];
  readonly calls: readonly {
    operation: string;
    status: number;
    account: boolean;
    expand: string[];
    count: number;
  }[];
}

async function scene(files: Readonly<Record<string, string>>) {
  const cwd = await temporaryFolder();
  const sandbox = await startSandboxServer(cwd);
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
  const options = { cwd, env: { BASE: sandbox.url, KEY: sandbox.secretKey } };
  return {
    cwd,
    sandbox,
    record: (command: readonly string[], words: readonly string[] = []) =>
      runProgram(['record', '--quiet', ...words, '--', ...command], options),
    runs: async () => {
      const { stdout } = await runCli(['record', 'show', '--format', 'json'], { cwd });
      return (JSON.parse(stdout) as { runs: Run[] }).runs;
    },
  };
}

/** The same work, however it is loaded and whichever client carries it. */
const WORK = `
const { hostname: host, port } = new URL(process.env.BASE);
const stripe = new Stripe(process.env.KEY, { host, port, protocol: 'http', telemetry: false, ...(process.env.FETCH ? { httpClient: Stripe.createFetchHttpClient() } : {}) });
const show = (name, work) => work.then((one) => console.log(name, one.object), (error) => console.log(name, error.statusCode, error.code));
const main = async () => {
  await show('list', stripe.charges.list({ limit: 1, expand: ['data.customer'] }));
  await show('create', stripe.customers.create({ email: 'jane@example.com' }));
  await show('missing', stripe.charges.retrieve('ch_missing'));
  await show('connect', stripe.balance.retrieve({}, { stripeAccount: 'acct_1' }));
  await show('v2', stripe.v2.core.accounts.list({ limit: 1 }));
  await show('file', stripe.files.create({ purpose: 'dispute_evidence', file: { data: Buffer.from('x'), name: 'a.png', type: 'image/png' } }));
};
main();
`;

describe('case 75', () => {
  it('the same agent as ESM, as CJS and with the fetch client: recorded alike, output byte for byte', async () => {
    const { record, runs } = await scene({
      'agent.mjs': `import Stripe from ${JSON.stringify(`${STRIPE}esm/stripe.esm.node.js`)};${WORK}`,
      'agent.cjs': `const Stripe = require(${JSON.stringify(`${STRIPE}cjs/stripe.cjs.node.js`)});${WORK}`,
      'fetch.cjs': `process.env.FETCH = '1'; require('./agent.cjs');`,
    });
    const outputs = [];
    for (const file of ['agent.mjs', 'agent.cjs', 'fetch.cjs']) outputs.push(await record([NODE, file]));
    const [first] = outputs;
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(first?.stdout.split('\n')).toHaveLength(7);
    for (const output of outputs) expect(output).toEqual(first);
    const recorded = await runs();
    expect(recorded).toHaveLength(3);
    for (const { calls, unseen } of recorded) {
      expect(unseen).toEqual([]);
      expect(calls.map(({ operation }) => operation).sort()).toEqual(
        [
          'balance.retrieve',
          'charges.list',
          'charges.retrieve',
          'customers.create',
          'files.create',
          'v2.core.accounts.list',
        ].sort(),
      );
      expect(calls).toEqual(recorded[0]?.calls);
    }
  });
});

describe('case 79', () => {
  it('grandchildren, worker threads and child processes are recorded', async () => {
    const call = (path: string) =>
      `fetch(process.env.BASE + '${path}', { headers: { authorization: 'Bearer ' + process.env.KEY } }).then((one) => one.text())`;
    const { record, runs } = await scene({
      'main.mjs': `import { Worker } from 'node:worker_threads';
import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
await ${call('/v1/charges')};
await once(new Worker(new URL('./worker.mjs', import.meta.url)), 'exit');
await once(fork('./forked.mjs'), 'exit');
await once(spawn('sh', ['-c', 'exec "$0" grandchild.mjs', process.execPath]), 'exit');
await once(execFile('uname', ['-a']), 'exit');`,
      'worker.mjs': `await ${call('/v1/customers')};`,
      'forked.mjs': `await ${call('/v1/refunds')};`,
      'grandchild.mjs': `await ${call('/v1/balance')};`,
    });
    expect(await record([NODE, 'main.mjs'])).toMatchObject({ exitCode: 0, stderr: '' });
    const [run] = await runs();
    expect(run?.unseen).toEqual([]);
    expect(run?.calls.map(({ operation }) => operation)).toEqual([
      'balance.retrieve',
      'charges.list',
      'customers.list',
      'refunds.list',
    ]);
  });

  it.each<[string, string]>([
    ['a program without a hook', `spawnSync('sleep', ['0'])`],
    ['a Node that is given no environment', `spawnSync(process.execPath, ['-e', ''], { env: {} })`],
    ['a shell line', `execSync('sleep 0')`],
  ])('%s is named as not seen', async (_name, start) => {
    const { record, runs } = await scene({
      'main.cjs': `const { spawnSync, execSync } = require('node:child_process'); ${start};`,
    });
    expect(await record([NODE, 'main.cjs'])).toMatchObject({ exitCode: 0, stderr: '' });
    const [run] = await runs();
    expect(run?.unseen).toEqual([expect.stringContaining('in which no hook could be loaded')]);
  });

  it('a connection to Stripe that no watched call made is named', async () => {
    const { record, runs } = await scene({
      'main.cjs': `const socket = require('node:net').connect({ host: 'api.stripe.com', port: 443, lookup: (_host, options, done) => done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4) });
socket.on('error', () => {}); setTimeout(() => socket.destroy(), 50);`,
    });
    expect((await record([NODE, 'main.cjs'])).exitCode).toBe(0);
    const [run] = await runs();
    expect(run?.unseen).toEqual([expect.stringContaining('A connection to api.stripe.com')]);
  });

  it('a Node with the permission model keeps its rights, and the hook gets its own', async () => {
    const { cwd, record, runs } = await scene({ 'main.cjs': `console.log('ran')` });
    const flag =
      Number(process.versions.node.split('.')[0]) < 22 ? '--experimental-permission' : '--permission';
    const run = await record([NODE, '--no-warnings', flag, `--allow-fs-read=${cwd}/*`, 'main.cjs']);
    expect(run).toEqual({ exitCode: 0, stdout: 'ran\n', stderr: '' });
    expect((await runs())[0]).toMatchObject({ seenBy: ['node'], unseen: [] });
  });
});

describe('--via', () => {
  const AGENT = `fetch(process.env.KEYAUDIT_API_BASE + '/v1/charges', { headers: { authorization: 'Bearer ' + process.env.KEY } })
  .then(async (one) => console.log(one.status, (await one.text()).length > 0));`;

  it.each<[string, readonly string[], readonly string[]]>([
    ['preload', [NODE, 'agent.cjs'], ['node']],
    ['base', [NODE, 'agent.cjs'], ['base']],
    ['auto', [NODE, 'agent.cjs'], ['node']],
    ['auto', ['sh', '-c', `${NODE} agent.cjs; true`], ['node', 'base']],
  ])('%s: %j', async (via, command, seenBy) => {
    const { cwd, sandbox, runs } = await scene({ 'agent.cjs': AGENT });
    const run = await runProgram(['record', '--quiet', '--via', via, '--', ...command], {
      cwd,
      env: { KEYAUDIT_API_BASE: sandbox.url, KEY: sandbox.secretKey },
    });
    expect(run).toEqual({ exitCode: 0, stdout: '200 true\n', stderr: '' });
    const [one] = await runs();
    expect(one).toMatchObject({ seenBy, calls: [{ operation: 'charges.list', count: 1 }] });
  });

  it('proxy: a command that heeds no proxy is named as not seen', async () => {
    const { record, runs } = await scene({ 'agent.cjs': `console.log('done')` });
    expect(await record([NODE, 'agent.cjs'], ['--via', 'proxy'])).toMatchObject({ stdout: 'done\n' });
    expect((await runs())[0]?.unseen).toEqual([
      expect.stringContaining('none came by the proxy, which a program may pass over'),
    ]);
  });

  it('proxy beside a proxy of its own: exit 2, and nothing is run', async () => {
    const cwd = await temporaryFolder();
    const run = await runProgram(['record', '--via', 'proxy', '--', 'touch', 'ran'], {
      cwd,
      env: { HTTPS_PROXY: 'http://127.0.0.1:1' },
    });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain('has a proxy already (HTTPS_PROXY)');
    expect(await readdir(cwd)).toEqual([]);
  });

  it('proxy: its certificates are private, and gone with the run', async () => {
    const { cwd, record } = await scene({});
    const run = await record(
      ['sh', '-c', 'ls -l "$SSL_CERT_FILE" | cut -c1-10; echo "$SSL_CERT_FILE"'],
      ['--via', 'proxy'],
    );
    const [mode, file = ''] = run.stdout.split('\n');
    expect(mode).toBe('-rw-------');
    await expect(readFile(file)).rejects.toThrow(/ENOENT/);
    expect((await readdir(cwd)).sort()).toEqual(['.keyaudit']);
  });
});

describe('case 80', () => {
  it('the same session from stripe logs tail, STRIPE_LOG, HAR and OTLP has the operations of the live recording', async () => {
    const { cwd, record } = await scene({
      'agent.mjs': `import { writeFileSync } from 'node:fs';
const logs = { tail: '', sdk: '' }, entries = [], spans = [];
for (const [method, path, body] of [
  ['GET', '/v1/charges?limit=1&expand[]=data.customer'], ['GET', '/v1/charges/ch_1'], ['POST', '/v1/customers', 'email=a@b.c'],
  ['POST', '/v1/refunds', 'charge=ch_1'], ['GET', '/v2/core/accounts?limit=1'], ['DELETE', '/v1/customers/cus_1'],
]) {
  const url = 'https://api.stripe.com' + path;
  const { status } = await fetch(process.env.BASE + path, { method, body, headers: { authorization: 'Bearer ' + process.env.KEY, 'content-type': 'application/x-www-form-urlencoded' } });
  logs.tail += JSON.stringify({ created_at: 1764000000, livemode: false, method, request_id: 'req_1', status, url: path.split('?')[0] }) + '\\n';
  logs.sdk += \`message='Request to Stripe api' method=\${method.toLowerCase()} url=\${url}\\nmessage='Stripe API response' path=\${url} response_code=\${status}\\n\`;
  entries.push({ startedDateTime: '2026-11-25T10:00:00Z', request: { method, url, headers: [], ...(body && { postData: { text: body } }) }, response: { status } });
  spans.push({ startTimeUnixNano: '1764000000000000000', attributes: Object.entries({ 'http.request.method': method, 'url.full': url, 'http.response.status_code': String(status) }).map(([key, stringValue]) => ({ key, value: { stringValue } })) });
}
writeFileSync('tail', logs.tail); writeFileSync('sdk', logs.sdk);
writeFileSync('har', JSON.stringify({ log: { version: '1.2', entries } }));
writeFileSync('otlp', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));`,
    });
    expect(await record([NODE, 'agent.mjs'])).toMatchObject({ exitCode: 0, stderr: '' });
    const operationsOf = async (name: string) => {
      const { stdout } = await runCli(['record', 'show', name, '--format', 'json'], { cwd });
      const { runs } = JSON.parse(stdout) as { runs: Run[] };
      return runs.flatMap(({ calls }) =>
        calls.map(({ operation, status, count }) => [operation, status, count]),
      );
    };
    const live = await operationsOf('agent');
    expect(live).toHaveLength(6);
    for (const file of ['tail', 'sdk', 'har', 'otlp']) {
      const run = await runCli(['record', 'import', file, '--name', file], { cwd });
      expect(run.exitCode, run.stderr).toBe(0);
      expect(await operationsOf(file)).toEqual(live);
    }
  });
});

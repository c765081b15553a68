import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { findPeer, PEERS } from '../support/peer.ts';
import { catalog } from '../support/profiles.ts';
import { NODE, runCli, runProgram, temporaryFolder } from '../support/run-cli.ts';

const PYTHON = [join(PEERS, 'python/bin')];
const python = await findPeer('python', 'agents in Python that start others, recorded', PYTHON);
const gunicorn = await findPeer('gunicorn', 'gunicorn and aiohttp, recorded', PYTHON);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ catalog });
});
afterAll(() => sandbox.close());

/** Records one agent, in a folder of its own. */
async function recorded(
  text: string,
  command: readonly string[],
  words: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const cwd = await temporaryFolder();
  const { url, shownSecretKey: secretKey } = sandbox;
  for (const name of ['agent.cjs', 'agent.py']) await writeFile(join(cwd, name), text);
  const run = await runProgram(['record', '--quiet', ...words, '--', ...command], {
    cwd,
    env: { BASE: url, KEY: secretKey, NODE, ...env },
  });
  const { stdout } = await runCli(['record', 'show', '--format', 'json'], { cwd });
  const [one] = (
    JSON.parse(stdout) as {
      runs: {
        unseen: string[];
        calls: { operation: string; status: number; code?: string; count: number }[];
      }[];
    }
  ).runs;
  return { cwd, run, unseen: one?.unseen ?? [], calls: one?.calls ?? [] };
}

const NO_HOOK = expect.stringMatching(/in which no hook could be loaded/);
const CALL = `fetch(process.env.BASE + '/v1/charges', { headers: { authorization: 'Bearer ' + process.env.KEY } })
  .then(async (one) => console.log(one.status, (await one.text()).length > 0));`;
const worker = (options: string) => `
const { Worker, isMainThread, workerData } = require('node:worker_threads');
if (isMainThread) new Worker(__filename, { workerData: { BASE: process.env.BASE, KEY: process.env.KEY }, ...${options} });
else fetch(workerData.BASE + '/v1/charges', { headers: { authorization: 'Bearer ' + workerData.KEY } }).then((one) => console.log(one.status));`;

describe('case 79: what a command in Node starts is recorded, or named as not seen', () => {
  it.each<[string, string, number, readonly unknown[]]>([
    ['a worker thread', worker('{}'), 1, []],
    ['a worker thread with an environment of its own', worker('{ env: {} }'), 1, []],
    ['a worker thread with arguments of its own', worker('{ env: {}, execArgv: [] }'), 1, []],
    [
      'the workers of a cluster',
      `const cluster = require('node:cluster');
if (cluster.isPrimary) { cluster.fork(); cluster.fork(); } else ${CALL.trimEnd().replace(/;$/, '')}.then(() => process.exit());`,
      2,
      [],
    ],
    [
      'a child without NODE_OPTIONS',
      `if (process.argv[2]) ${CALL} else {
const { NODE_OPTIONS, ...env } = process.env;
require('node:child_process').spawn(process.execPath, [__filename, 'child'], { env, stdio: 'inherit' }); }`,
      0,
      [NO_HOOK],
    ],
    [
      'another program',
      `require('node:child_process').execFileSync('sh', ['-c', 'true; :']); ${CALL}`,
      1,
      [NO_HOOK],
    ],
  ])('%s', async (_name, text, count, unseen) => {
    const { run, ...seen } = await recorded(text, [NODE, 'agent.cjs']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(seen.calls.reduce((sum, call) => sum + call.count, 0)).toBe(count);
    expect(seen.unseen).toEqual(unseen);
  });

  it('a process that is killed while notes of it wait is named', async () => {
    const many = `(async () => { for (let n = 0; n < 5; n += 1) await ${CALL.trimEnd().replace(/;$/, '')};
process.kill(process.pid, 'SIGKILL'); })();`;
    const { run, unseen, calls } = await recorded(many, [NODE, 'agent.cjs']);
    expect(run.exitCode).toBe(137);
    const seen = calls.reduce((sum, { count }) => sum + count, 0);
    expect(seen).toBeGreaterThan(0);
    if (seen < 5) expect(unseen).toEqual([expect.stringMatching(/of a process that was killed/)]);
  });
});

describe('case 79: a disk that takes no more notes is named', () => {
  const times = `(async () => { for (let n = 0; n < 40; n += 1) await fetch(process.env.BASE + '/v1/charges', { headers: { authorization: 'Bearer ' + process.env.KEY } }).then((one) => one.text()); console.log('done'); })();`;
  it.each<[string, boolean, string, readonly string[]]>([
    ['Node', false, times, ['bash', '-c', `ulimit -f 1; exec "$NODE" agent.cjs`]],
    [
      'Python',
      python.missing,
      `import os, urllib.request
for _ in range(40): urllib.request.urlopen(urllib.request.Request(os.environ["BASE"] + "/v1/charges", headers={"Authorization": "Bearer " + os.environ["KEY"]})).read()
print("done")`,
      ['bash', '-c', `ulimit -f 1; exec ${python.file} -B agent.cjs`],
    ],
  ])('in %s, and the agent goes on', async (_name, missing, text, command) => {
    if (missing) return;
    const { run, unseen } = await recorded(text, command, ['--via', 'preload']);
    expect(run).toMatchObject({ exitCode: 0, stdout: 'done\n', stderr: '' });
    expect(unseen).toContainEqual(expect.stringMatching(/the disk took no more/));
  });
});

const PYTHON_CALL = `import os, sys, urllib.request
def call(_=None):
    asked = urllib.request.Request(os.environ["BASE"] + "/v1/charges", headers={"Authorization": "Bearer " + os.environ["KEY"]})
    with urllib.request.urlopen(asked) as answer: return answer.status
`;
const CURL = `["curl", "-s", "-o", "/dev/null", os.environ["BASE"] + "/v1/charges"]`;

describe.skipIf(python.missing)(
  'case 79: what a command in Python starts is recorded, or named as not seen',
  () => {
    it.each<[string, string, number, readonly unknown[]]>([
      [
        'pools of processes, forked and started anew',
        `${PYTHON_CALL}
import multiprocessing
if __name__ == "__main__":
    for way in ("fork", "spawn"):
        with multiprocessing.get_context(way).Pool(1) as pool: pool.map(call, [1])`,
        2,
        [],
      ],
      [
        'a child without PYTHONPATH',
        `${PYTHON_CALL}
import subprocess
env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
if len(sys.argv) > 1: call()
else: subprocess.run([sys.executable, "-B", __file__, "child"], env=env, check=True)`,
        0,
        [NO_HOOK],
      ],
      ['another program in its place', `${PYTHON_CALL}\nos.execvp("curl", ${CURL})`, 0, [NO_HOOK]],
      [
        'Python in its place',
        `${PYTHON_CALL}
if len(sys.argv) > 1: call()
else: os.execv(sys.executable, [sys.executable, "-B", __file__, "again"])`,
        1,
        [],
      ],
      [
        'another program past subprocess',
        `${PYTHON_CALL}\nos.waitpid(os.posix_spawnp("curl", ${CURL}, os.environ), 0)`,
        0,
        [NO_HOOK],
      ],
    ])('%s', async (_name, text, count, unseen) => {
      const { run, ...seen } = await recorded(text, [python.file, '-B', 'agent.py']);
      expect(run).toMatchObject({ exitCode: 0, stderr: '' });
      expect(seen.calls.reduce((sum, call) => sum + call.count, 0)).toBe(count);
      expect(seen.unseen).toEqual(unseen);
    });
  },
);

const ASYNC = (client: string) => `import asyncio, os, stripe
async def main():
    client = stripe.StripeClient(os.environ["KEY"], base_addresses={"api": os.environ["BASE"]}, http_client=stripe.${client}())
    print((await client.v1.charges.list_async({"limit": 1})).object)
    try: await client.v1.charges.retrieve_async("ch_missing")
    except stripe.InvalidRequestError as error: print(error.code)
    print(len((await client.v2.core.accounts.list_async({"limit": 1})).data))
    await client._requestor._get_http_client().close_async()
asyncio.run(main())`;

describe.skipIf(gunicorn.missing)('case 75: asynchronous clients and forked servers in Python', () => {
  it.each<[string, string, number]>([
    ['HTTPXClient', ASYNC('HTTPXClient'), 3],
    ['AIOHTTPClient', ASYNC('AIOHTTPClient'), 3],
    [
      'aiohttp, the key in the session',
      `import aiohttp, asyncio, os
async def main():
    async with aiohttp.ClientSession(os.environ["BASE"], headers={"Authorization": "Bearer " + os.environ["KEY"]}) as session:
        async with session.get("/v1/charges", params={"limit": 1, "expand[]": "data.customer"}) as answer: print(answer.status)
        async with session.post("/v1/refunds", data={"charge": "ch_1", "amount": "5"}) as answer: print(answer.status)
asyncio.run(main())`,
      2,
    ],
    [
      'workers of gunicorn',
      `import os, subprocess, sys, time, urllib.request
if len(sys.argv) == 1:
    served = subprocess.Popen([sys.executable, "-B", "-m", "gunicorn", "-w", "2", "-b", "unix:agent.sock", "agent:app"], stderr=subprocess.DEVNULL)
    import http.client, socket
    class Local(http.client.HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX); self.sock.connect("agent.sock")
    def ask():
        local = Local("localhost"); local.request("GET", "/"); return local.getresponse().read().decode()
    for _ in range(600):
        try: print(ask()); break
        except OSError: time.sleep(0.1)
    print(ask())
    served.terminate(); served.wait()
`.replace(
        'if len(sys.argv) == 1:',
        `def app(environ, start):
    asked = urllib.request.Request(os.environ["BASE"] + "/v1/charges", headers={"Authorization": "Bearer " + os.environ["KEY"]})
    with urllib.request.urlopen(asked) as answer: status = answer.status
    start("200 OK", []); return [str(status).encode()]
if __name__ == "__main__":`,
      ),
      2,
    ],
  ])('%s', async (_name, text, count) => {
    const { run, unseen, calls } = await recorded(text, [python.file, '-B', 'agent.py']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(calls.reduce((sum, call) => sum + call.count, 0)).toBe(count);
    expect(calls.every(({ operation }) => operation !== null)).toBe(true);
    expect(unseen).toEqual([]);
  });
});

describe.skipIf(python.missing)('case 80: STRIPE_LOG of stripe-python, as it prints it', () => {
  it.each(['info', 'debug'])('%s: imported, it has the operations of the live recording', async (level) => {
    const { cwd, run, calls } = await recorded(
      `import os, stripe
client = stripe.StripeClient(os.environ["KEY"], base_addresses={"api": os.environ["BASE"]})
client.v1.charges.list({"limit": 1, "expand": ["data.customer"]})
client.v1.customers.create({"email": "jane@example.com"})
for call in (lambda: client.v1.charges.retrieve("ch_missing"), lambda: client.v1.refunds.create({"charge": "ch_1"})):
    try: call()
    except stripe.InvalidRequestError: pass
client.v2.core.accounts.list({"limit": 1})`,
      [python.file, '-B', 'agent.py'],
      [],
      { STRIPE_LOG: level },
    );
    expect(run.exitCode).toBe(0);
    expect(calls).toHaveLength(5);
    await writeFile(join(cwd, 'log'), run.stderr);
    const imported = await runCli(['record', 'import', 'log', '--name', 'log', '--format', 'json'], { cwd });
    expect(imported.exitCode, imported.stderr).toBe(0);
    const { from, unread } = JSON.parse(imported.stdout) as { from: string; unread: unknown[] };
    expect(from).toBe('sdk-log');
    // The bodies that debug prints are no lines of a call.
    if (level === 'info') expect(unread).toEqual([]);
    const shown = await runCli(['record', 'show', 'log', '--format', 'json'], { cwd });
    const [{ calls: read }] = (JSON.parse(shown.stdout) as { runs: [{ calls: typeof calls }] }).runs;
    const facts = (all: typeof calls) =>
      all.map(({ operation, status, count }) => [operation, status, count]);
    expect(facts(read)).toEqual(facts(calls));
    expect(shown.stdout).not.toMatch(/jane|ch_missing/);
  });
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { findPeer, PEERS } from '../support/peer.ts';
import { runCli, runProgram, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const curl = await findPeer('curl', 'recording curl by the proxy');
const go = await findPeer('go', 'recording an agent in Go by the proxy');
const cli = await findPeer('stripe', 'recording the Stripe CLI by the proxy', [
  join(PEERS, 'stripe-cli/node_modules/.bin'),
]);

const GO = `package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	request, _ := http.NewRequest("GET", "https://api.stripe.com/v1/charges?limit=1", nil)
	request.SetBasicAuth(os.Getenv("KEY"), "")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(answer.StatusCode)
}
`;

type Made = readonly [string, ...string[]];

/** Each calls https://api.stripe.com as it would anywhere, and knows of no recorder. */
const agents: readonly {
  readonly name: string;
  readonly missing: boolean;
  /** A Go program behind a script for Node, which by itself would be recorded by hooks alone. */
  readonly words?: readonly string[];
  readonly command: (cwd: string, key: string) => Promise<Made>;
}[] = [
  {
    name: 'curl',
    missing: curl.missing,
    command: async (_cwd, key) => [
      curl.file,
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-u',
      `${key}:`,
      'https://api.stripe.com/v1/charges?limit=1',
    ],
  },
  {
    name: 'Go',
    missing: go.missing,
    command: async (cwd) => {
      await writeFile(join(cwd, 'main.go'), GO);
      await writeFile(join(cwd, 'go.mod'), 'module agent\ngo 1.20\n');
      await execa(go.file, ['build', '-o', 'agent', '.'], { cwd });
      return [join(cwd, 'agent')];
    },
  },
  {
    name: 'the Stripe CLI',
    missing: cli.missing,
    words: ['--via', 'proxy'],
    command: async (_cwd, key) => [cli.file, 'charges', 'list', '--limit', '1', '--api-key', key],
  },
];

describe.each(agents)('$name', ({ missing, words = [], command }) => {
  it.skipIf(missing)('is recorded by the proxy as it is, and its certificate is taken', async () => {
    const cwd = await temporaryFolder();
    const { url, secretKey } = await startSandboxServer(cwd);
    const made = await command(cwd, secretKey);
    const run = await runProgram(['record', '--quiet', '--api-base', url, ...words, '--', ...made], {
      cwd,
      env: { KEY: secretKey },
    });
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    expect(run.stdout).toMatch(/200|"object": ?"list"/);
    const shown = await runCli(['record', 'show', '--format', 'json'], { cwd });
    const { runs } = JSON.parse(shown.stdout) as { runs: unknown[] };
    expect(runs).toEqual([
      expect.objectContaining({
        seenBy: ['proxy'],
        unseen: [],
        calls: [expect.objectContaining({ operation: 'charges.list', status: 200, count: 1 })],
      }),
    ]);
  });
});

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { KEYAUDIT, NODE } from './run-cli.ts';

export interface SandboxServer {
  readonly url: string;
  readonly secretKey: string;
  /** Makes a key by the managed key API, as anybody could. */
  makeKey(
    permissions: readonly string[],
    connect?: readonly string[],
  ): Promise<{ id: string; token: string }>;
  expireKey(id: string): Promise<void>;
}

/** `keyaudit sandbox --port 0` in `cwd`, ended when the test is over. */
export async function startSandboxServer(cwd: string, args: readonly string[] = []): Promise<SandboxServer> {
  const server = execa(NODE, [KEYAUDIT, 'sandbox', '--port', '0', '--format', 'json', ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '' },
    extendEnv: false,
    reject: false,
    buffer: false,
  });
  onTestFinished(async () => {
    server.kill('SIGTERM');
    await server;
  });
  const [line] = (await Promise.race([
    once(createInterface(server.stdout), 'line'),
    server.then(() => Promise.reject(new Error('the sandbox ended before it was ready'))),
  ])) as [string];
  const { schema, url, secretKey } = JSON.parse(line) as Record<string, string>;
  if (schema !== 'keyaudit.sandbox/1' || url === undefined || secretKey === undefined) {
    throw new Error(`unexpected first line: ${line}`);
  }
  return { url, secretKey, ...keyMaker(url, secretKey) };
}

/** Makes and ends keys of a sandbox at `url`. */
export function keyMaker(url: string, secretKey: string): Pick<SandboxServer, 'makeKey' | 'expireKey'> {
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secretKey}`,
        'stripe-version': '2026-08-26.preview',
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
    return (await response.json()) as { id: string; secret_key: { token: string } };
  };
  return {
    makeKey: async (permissions, connect) => {
      const key = await post('/v2/iam/api_keys', {
        type: 'secret_key',
        name: 'test',
        permissions,
        connect_permissions: connect,
      });
      return { id: key.id, token: key.secret_key.token };
    },
    expireKey: async (id) => {
      await post(`/v2/iam/api_keys/${id}/expire`, {});
    },
  };
}

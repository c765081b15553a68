import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCli, temporaryFolder } from './run-cli.ts';
import { type SandboxServer, startSandboxServer } from './sandbox-server.ts';

/** Settings of a sandbox whose keys die and shrink at once, for tests that are not about the wait. */
export const AT_ONCE = ['--set', 'expiryDelayMs=0', '--set', 'narrowingDelayMs=0'];

/** A working folder, a sandbox server, and the CLI between them. */
export interface Scene {
  readonly cwd: string;
  readonly sandbox: SandboxServer;
  run(
    args: readonly string[],
    options?: { env?: Record<string, string>; input?: string; laterMs?: number },
  ): ReturnType<typeof runCli>;
  /** The keys that the server says are active, newest first. */
  active(): Promise<readonly { id: string; name: string; permissions: string[]; token: string }[]>;
  /** HTTP status of a list of charges by this key. */
  statusOf(token: string): Promise<number>;
  stored(variable?: string, file?: string): Promise<string | undefined>;
}

export async function scene(behaviour: readonly string[] = AT_ONCE): Promise<Scene> {
  const cwd = await temporaryFolder();
  const sandbox = await startSandboxServer(cwd, behaviour);
  return {
    cwd,
    sandbox,
    run: (args, { env = {}, ...more } = {}) =>
      runCli([...args, '--api-base', sandbox.url], {
        cwd,
        env: { STRIPE_SECRET_KEY: sandbox.secretKey, ...env },
        ...more,
      }),
    active: () => activeKeys(sandbox),
    statusOf: async (token) =>
      (await fetch(`${sandbox.url}/v1/charges`, { headers: { authorization: `Bearer ${token}` } })).status,
    stored: async (variable = 'STRIPE_REFUND_AGENT_KEY', file = '.keyaudit/keys.env') =>
      new RegExp(`^${variable}=(.*)$`, 'm').exec(
        await readFile(join(cwd, file), 'utf8').catch(() => ''),
      )?.[1],
  };
}

async function activeKeys({ url, secretKey }: SandboxServer) {
  const response = await fetch(`${url}/v2/iam/api_keys?limit=100`, {
    headers: { authorization: `Bearer ${secretKey}`, 'stripe-version': '2026-08-26.preview' },
  });
  const { data } = (await response.json()) as {
    data: { id: string; name: string; permissions: string[]; secret_key: { token: string } }[];
  };
  return data.map(({ id, name, permissions, secret_key }) => ({
    id,
    name,
    permissions,
    token: secret_key.token,
  }));
}

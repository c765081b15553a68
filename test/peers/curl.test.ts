import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { findPeer } from '../support/peer.ts';
import { temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const curl = await findPeer('curl', 'the sandbox asked by curl');

interface Reply {
  readonly status: number;
  readonly requestId: string;
  readonly body: {
    readonly id?: string;
    readonly data?: readonly { readonly id: string }[];
    readonly has_more?: boolean;
    readonly error?: { readonly code?: string; readonly message: string };
  };
}

/** Runs curl; the key comes by standard input, as arguments are for all to see. */
async function ask(key: string, how: 'Bearer' | 'Basic', args: readonly string[]): Promise<Reply> {
  const config = how === 'Bearer' ? `header = "Authorization: Bearer ${key}"` : `user = "${key}:"`;
  const end = '\\n%{http_code} %header{request-id}';
  const run = await execa(curl.file, ['-sS', '--config', '-', '-w', end, ...args], { input: config });
  const at = run.stdout.lastIndexOf('\n');
  const [status, requestId = ''] = run.stdout.slice(at + 1).split(' ');
  return { status: Number(status), requestId, body: JSON.parse(run.stdout.slice(0, at)) as Reply['body'] };
}

describe.skipIf(curl.missing).each(['Bearer', 'Basic'] as const)('curl with %s', (how) => {
  it('is allowed, refused, and told of an expired key', async () => {
    const server = await startSandboxServer(await temporaryFolder(), ['--set', 'expiryDelayMs=0']);
    const { id, token } = await server.makeKey(['charge_read', 'customer_write']);
    const charges = `${server.url}/v1/charges`;
    const made = await ask(token, how, [
      `${server.url}/v1/customers`,
      '-d',
      'name=Ada',
      '-d',
      'metadata[a]=1',
      '-d',
      'preferred_locales[]=de',
    ]);
    expect(made).toMatchObject({
      status: 200,
      body: { name: 'Ada', metadata: { a: '1' }, preferred_locales: ['de'] },
    });
    expect(await ask(token, how, ['-G', charges, '-d', 'limit=1'])).toMatchObject({
      status: 200,
      requestId: expect.stringMatching(/^req_/),
      body: { object: 'list', data: [] },
    });
    expect(await ask(token, how, [charges, '-d', 'amount=100'])).toMatchObject({
      status: 403,
      body: { error: { code: 'more_permissions_required', type: 'invalid_request_error' } },
    });
    await server.expireKey(id);
    expect(await ask(token, how, ['-G', charges])).toMatchObject({
      status: 401,
      body: { error: { code: 'api_key_expired' } },
    });
  });

  it('pages by starting_after', async () => {
    const server = await startSandboxServer(await temporaryFolder());
    const { token } = await server.makeKey(['product_write']);
    const products = `${server.url}/v1/products`;
    const made: string[] = [];
    for (let index = 0; index < 7; index++) {
      made.unshift((await ask(token, how, [products, '-d', `name=p${index}`])).body.id ?? '');
    }
    const seen: string[] = [];
    for (let more = true; more; ) {
      const after = seen.at(-1);
      const cursor = after === undefined ? [] : ['-d', `starting_after=${after}`];
      const { body } = await ask(token, how, ['-G', products, '-d', 'limit=3', ...cursor]);
      seen.push(...(body.data ?? []).map((one) => one.id));
      more = body.has_more === true;
    }
    expect(seen).toEqual(made);
  });
});

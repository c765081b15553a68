import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type HintScene, hintScene } from '../support/hints/hint-scene.ts';

// A key of Stripe's in a store is lost for good when another is put in its place: its secret is shown once.

/** A folder in which the key of `mine` at Stripe has taken the place of the sandbox's. */
async function withStripeKey(): Promise<HintScene & { readonly key: string }> {
  const here = await hintScene(true);
  expect((await here.asPrinted('keyaudit provision mine --target sandbox')).exitCode).toBe(0);
  const made = await here.cli('provision mine');
  expect(made.exitCode, made.said).toBe(0);
  return { ...here, key: await here.stored() };
}

const onSandbox = (line: string) => `keyaudit ${line} --target sandbox`;

describe('a sandbox key never takes the place of one of Stripe unasked', () => {
  it.each<[line: string, settings: string, env: Record<string, string>]>([
    ['rotate mine', '', {}],
    ['rotate mine --store env-file:.keyaudit/keys.env', '', {}],
    ['rotate mine', '', { KEYAUDIT_STORE: 'env-file:.keyaudit/keys.env' }],
    ['rotate mine', 'store: env-file:.keyaudit/keys.env\n', {}],
    ['rotate --all', '', {}],
    ['provision other', '', {}],
    ['provision other', 'store: env-file:.keyaudit/keys.env\n', {}],
    ['provision other --key-api managed', '', { KEYAUDIT_STORE: 'env-file:.keyaudit/keys.env' }],
  ])('by %s (settings: %j, environment: %j)', async (line, settings, env) => {
    const here = await withStripeKey();
    if (settings !== '') await writeFile(join(here.cwd, 'keyaudit.config.yaml'), settings);
    await here.write(
      'profiles/other.yaml',
      'name: other\nenv: STRIPE_MINE_KEY\npermissions: { products: read }\n',
    );
    const run = await here.asPrinted(onSandbox(line), { env });
    expect(run.exitCode, run.said).toBe(2);
    expect(run.said).toMatch(
      /Nothing was made: STRIPE_MINE_KEY in \S+ holds the test key mk_\w+ of mine at Stripe/,
    );
    expect(await here.stored()).toBe(here.key);
    expect((await here.cli('verify mine')).exitCode).toBe(0);
  });

  it('by init, even where its files are overwritten by force', async () => {
    const here = await withStripeKey();
    const run = await here.asPrinted('keyaudit init mine --force --permission products=read --ci none');
    expect(run.exitCode).toBe(0);
    expect(await here.stored()).toBe(here.key);
  });

  it('nor by exec, which lends a key and stores none', async () => {
    const here = await withStripeKey();
    await here.write(
      'agent.js',
      'process.exit(process.env.STRIPE_MINE_KEY.startsWith("rk_test_") ? 0 : 1);\n',
    );
    const run = await here.asPrinted('keyaudit exec mine --target sandbox -- node agent.js');
    expect(run.exitCode, run.said).toBe(0);
    expect(await here.stored()).toBe(here.key);
  });

  it('but by --again, which asks for it', async () => {
    const here = await withStripeKey();
    expect((await here.asPrinted(onSandbox('provision mine --again'))).exitCode).toBe(0);
    expect(await here.stored()).not.toBe(here.key);
  });
});

it('a rotation overwrites no key that nobody here made, in a place that was not its own', async () => {
  const here = await hintScene(false);
  await here.cli('provision mine');
  await here.write('.env.local', 'STRIPE_MINE_KEY=rk_live_ofSomebodyElse0000\n');
  const run = await here.cli('rotate mine --store env-file:.env.local');
  expect(run.exitCode, run.said).toBe(2);
  expect(run.said).toContain('STRIPE_MINE_KEY in .env.local holds a key that was not made here');
  expect((await here.cli('verify mine')).exitCode).toBe(0);
});

import { join } from 'node:path';
import { execa } from 'execa';
import PQueue from 'p-queue';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { findPeer, PEERS } from '../support/peer.ts';
import { temporaryFolder } from '../support/run-cli.ts';
import { keyMaker } from '../support/sandbox-server.ts';

const cli = await findPeer('stripe', "the sandbox asked by Stripe's command line, event by event", [
  join(PEERS, 'stripe-cli/node_modules/.bin'),
]);

/** What `stripe trigger` cannot bring about in the sandbox, with the reason. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'checkout.session.async_payment_succeeded': 'it pays by /v1/payment_pages, of which the API says nothing',
  'checkout.session.completed': 'it pays by /v1/payment_pages, of which the API says nothing',
  'issuing_authorization.request':
    'it calls /v1/issuing/cards/…/test/authorizations, of which the API says nothing',
  'issuing_authorization.request.eu':
    'it calls /v1/issuing/cards/…/test/authorizations, of which the API says nothing',
  'issuing_authorization.request.gb':
    'it calls /v1/issuing/cards/…/test/authorizations, of which the API says nothing',
  'subscription_schedule.completed': 'test clocks are not modelled, and refused by name',
  'subscription_schedule.expiring': 'test clocks are not modelled, and refused by name',
  'test_helpers.test_clock.advancing': 'test clocks are not modelled, and refused by name',
  'test_helpers.test_clock.created': 'test clocks are not modelled, and refused by name',
  'test_helpers.test_clock.deleted': 'test clocks are not modelled, and refused by name',
  'test_helpers.test_clock.ready': 'test clocks are not modelled, and refused by name',
  'v1.billing.meter.error_report_triggered': 'it sends to meter-events.stripe.com, whatever --api-base says',
  'v1.billing.meter.no_meter_found': 'it sends to meter-events.stripe.com, whatever --api-base says',
};
/** Fewer in the help of `stripe trigger` means that it was not read. */
const FEWEST_EVENTS = 100;
const AT_ONCE = 4;

async function start(): Promise<Sandbox> {
  const sandbox = await startSandbox({ catalog: new Catalog(catalogData) });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

function trigger(event: string, { url, key, home }: { url: string; key: string; home: string }) {
  return execa(cli.file, ['trigger', event, '--api-base', url], {
    cwd: home,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      XDG_CONFIG_HOME: home,
      STRIPE_API_KEY: key,
      STRIPE_CLI_TELEMETRY_OPTOUT: '1',
    },
    extendEnv: false,
    reject: false,
    all: true,
  });
}

describe.skipIf(cli.missing)('stripe trigger', () => {
  it('brings about every event that it knows, in a sandbox of its own', async () => {
    const sandbox = await start();
    const home = await temporaryFolder();
    const help = await execa(cli.file, ['trigger', '--help'], { cwd: home });
    const events = [...help.stdout.matchAll(/^ {2}([a-z_0-9]+(?:\.[a-z_0-9]+)+)/gm)].map(
      ([, name]) => name ?? '',
    );
    expect(events.length).toBeGreaterThan(FEWEST_EVENTS);
    expect(Object.keys(LEFT_OUT).filter((name) => !events.includes(name))).toEqual([]);
    const queue = new PQueue({ concurrency: AT_ONCE });
    const failed: string[] = [];
    const key = sandbox.shownSecretKey;
    await queue.addAll(
      events
        .filter((name) => LEFT_OUT[name] === undefined)
        .map((name) => async () => {
          const run = await trigger(name, { url: sandbox.url, key, home });
          if (run.exitCode !== 0) failed.push(`${name}: ${run.all?.slice(-300)}`);
        }),
    );
    expect(failed).toEqual([]);
  });

  it('is refused where the key may not', async () => {
    const sandbox = await start();
    const home = await temporaryFolder();
    const { makeKey } = keyMaker(sandbox.url, sandbox.shownSecretKey);
    const { token } = await makeKey(['customer_write']);
    const server = { url: sandbox.url, key: token, home };
    expect((await trigger('customer.created', server)).exitCode).toBe(0);
    const refused = await trigger('charge.succeeded', server);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.all).toContain('does not have the required permissions');
  });
});

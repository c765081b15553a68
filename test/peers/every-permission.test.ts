import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { catalog, isOneLevelWith, type PermissionChange, passedOver } from '../support/every-permission.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

/** A permission more or less on each side of each shipped profile's key, by each witness: every one for one of them. */

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ catalog });
});
afterAll(() => sandbox.close());

const PROFILES = ['refund-agent', 'analytics', 'dispute-handler', 'payment-capture', 'subscription-manager'];

/**
 * For the first profile every permission; for the others all that ordinary calls do not show. One call with an account
 * tells of the whole Connect side, so a few will do there.
 */
function isTried(profile: string, side: 'own' | 'connect', name: string, index: number): boolean {
  if (side === 'connect') return index % 20 === 0;
  return profile === PROFILES[0] || catalog.operationsOf(name).length === 0;
}

describe.each(PROFILES)('the key of %s', (profile) => {
  const run = async (pick: (held: readonly string[]) => readonly PermissionChange[]) => {
    const cwd = await temporaryFolder();
    const plan = await runCli(['plan', profile, '--format', 'json'], { cwd });
    const held: readonly string[] = JSON.parse(plan.stdout).permissions;
    const wrong: string[] = [];
    for (const change of pick(held)) {
      const said = await passedOver(change, { cwd, sandbox, held });
      if (said !== undefined) wrong.push(said);
    }
    return wrong;
  };

  it.each(['record', 'probes'] as const)('with one more, asked %s', async (witness) => {
    const wrong = await run((held) =>
      (['own', 'connect'] as const).flatMap((side) =>
        catalog.permissions
          .map(({ name }) => name)
          .filter((name) => side === 'connect' || (!held.includes(name) && !isOneLevelWith(name, held)))
          .filter((name, index) => isTried(profile, side, name, index))
          .map((permission) => ({ profile, permission, side, change: 'added' as const, witness })),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it.each(['record', 'probes'] as const)('with one less, asked %s', async (witness) => {
    const wrong = await run((held) =>
      held.length < 2
        ? []
        : held.map((permission) => ({ profile, permission, side: 'own', change: 'dropped', witness })),
    );
    expect(wrong).toEqual([]);
  });
});

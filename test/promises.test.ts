import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allows, type Operation, type PermissionName } from '../src/core/catalog/catalog.ts';
import { parametersOf } from '../src/core/catalog/parameters.ts';
import { buildProbe } from '../src/core/probe/build-probe.ts';
import { planProbes } from '../src/core/probe/probe-plan.ts';
import { SecretKey } from '../src/core/secret-key.ts';
import { findingsOf, type Judged } from '../src/core/verdict/finding.ts';
import { judgeResult } from '../src/core/verdict/judge-result.ts';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { sendProbes } from '../src/stripe/send-probes.ts';
import { catalog, grantOf, shippedProfiles } from './support/profiles.ts';

/** What keyaudit promises of its probes, held over HTTP against a sandbox that enforces permissions. */

const probeFor = (operation: Operation) =>
  buildProbe(operation, { parameters: parametersOf(operation.name), nonce: 'abc123' });
const profiles = shippedProfiles().map((profile) => {
  const grant = grantOf(profile);
  const plan = planProbes({ catalog, profile, grant, depth: 'permissions', probeFor });
  return { name: profile.name, profile, grant, plan };
});
type Planned = (typeof profiles)[number];

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ catalog });
});
afterAll(() => sandbox.close());

async function post(path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${sandbox.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${sandbox.secretKey.reveal()}`,
      'stripe-version': '2026-08-26.preview',
      ...(path.startsWith('/v2/') ? { 'content-type': 'application/json' } : {}),
    },
    body: path.startsWith('/v2/')
      ? JSON.stringify(body)
      : new URLSearchParams(body as Record<string, string>),
  });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

async function keyWith(permissions: readonly PermissionName[]): Promise<SecretKey> {
  const made = await post('/v2/iam/api_keys', { type: 'secret_key', name: 'test', permissions });
  return SecretKey.of((made.secret_key as { token: string }).token);
}

function send(key: SecretKey, operations: readonly Operation[]) {
  return sendProbes(operations.map(probeFor), {
    key,
    target: 'sandbox',
    apiBase: sandbox.url,
    apiVersion: catalog.apiVersion,
  });
}

/** `kind permission` of every finding but the accepted ones, for a key with these permissions. */
async function findings(planned: Planned, permissions: readonly PermissionName[]): Promise<string[]> {
  const { profile, grant, plan } = planned;
  const outcome = await send(
    await keyWith(permissions),
    plan.probes.map(({ operation }) => operation),
  );
  expect(outcome.results).toHaveLength(plan.probes.length);
  const judged = outcome.results.map(
    ({ probe, verdict, observation }): Judged =>
      judgeResult(probe, verdict, observation, { profile, grant, catalog }),
  );
  return findingsOf(judged)
    .filter(({ kind }) => kind !== 'accepted')
    .map(({ kind, operation }) => `${kind} ${operation}`);
}

/** A small generator of numbers, the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

const ADDED = 6;

describe.each(profiles)('the key of $name', (planned) => {
  const { grant, plan } = planned;
  const excused = new Set(plan.unverifiable.map(({ permission }) => permission));

  it('passes as it is', async () => {
    expect(await findings(planned, grant.permissions)).toEqual([]);
  });

  it('is found out with a permission more, whichever it is', async () => {
    const random = seeded(planned.name.length);
    const candidates = catalog.permissions
      .filter(({ name, managedApi }) => managedApi && !grant.effective.has(name) && !excused.has(name))
      .map(({ name }) => name);
    for (let count = 0; count < ADDED; count++) {
      const [added = ''] = candidates.splice(Math.floor(random() * candidates.length), 1);
      const found = await findings(planned, [...grant.permissions, added]);
      expect(
        found.filter((one) => one.startsWith('over-grant')),
        added,
      ).not.toEqual([]);
      expect(
        found.filter((one) => !one.startsWith('over-grant')),
        added,
      ).toEqual([]);
    }
  });

  it('is found out with any of its permissions less', async () => {
    for (const dropped of grant.permissions) {
      const rest = grant.permissions.filter((name) => name !== dropped);
      if (rest.length === 0) continue;
      const found = await findings(planned, rest);
      expect(
        found.filter((one) => one.startsWith('under-grant')),
        dropped,
      ).not.toEqual([]);
      expect(
        found.filter((one) => one.startsWith('over-grant')),
        dropped,
      ).toEqual([]);
    }
  });

  it.each(['a', 'b', 'c', 'd', 'e', 'guide'] as const)(
    'passes when Stripe refuses in dialect %s',
    async (dialect) => {
      sandbox.behaviour.dialect = dialect;
      try {
        expect(await findings(planned, grant.permissions)).toEqual([]);
      } finally {
        sandbox.behaviour.dialect = 'e';
      }
    },
  );
});

describe('the probes of all operations', () => {
  const takenByApi = catalog.permissions.filter(({ managedApi }) => managedApi).map(({ name }) => name);

  it.each<[what: string, key: () => Promise<SecretKey> | SecretKey]>([
    ['a secret key', () => sandbox.secretKey],
    ['a restricted key that holds everything', () => keyWith(takenByApi)],
  ])('create, change and delete nothing, with %s', async (_what, keyOf) => {
    const key = await keyOf();
    const customer = await post('/v1/customers', { name: 'Real', email: 'real@example.com' });
    await post('/v1/charges', {
      amount: '2000',
      currency: 'eur',
      source: 'tok_visa',
      customer: String(customer.id),
    });
    await post('/v1/coupons', { duration: 'once', percent_off: '10' });
    const objects = () => structuredClone(sandbox.objects());
    const before = objects();
    expect(before.length).toBeGreaterThanOrEqual(3);
    const counted = new Map(sandbox.requests());
    const outcome = await send(key, catalog.operations);
    expect(outcome.stopped).toBeUndefined();
    expect(outcome.results).toHaveLength(650);
    expect(objects()).toEqual(before);
    const accepted = [...sandbox.requests()]
      .map(([what, count]) => [what, count - (counted.get(what) ?? 0)] as const)
      .filter(([what, count]) => count > 0 && / 2\d\d$/.test(what));
    expect(accepted.map(([what]) => what)).toEqual(['GET 200']);
    // The key may do what it was asked about, so that the probes were not stopped by a refusal.
    const allowed = outcome.results.filter(({ verdict }) => verdict.kind === 'allowed').length;
    const may = catalog.operations.filter(
      (operation) => key.kind === 'secret' || allows(catalog.closure(takenByApi), operation),
    );
    expect(allowed).toBe(may.length);
    expect(allowed).toBeGreaterThan(400);
  });
});

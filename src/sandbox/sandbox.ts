import type { Catalog } from '../core/catalog/catalog.ts';
import { DeclaredTypes } from '../core/catalog/declared-types.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { type Behaviour, defaultBehaviour } from './faults/behaviour.ts';
import { KeyStore } from './keys/key-store.ts';
import { ObjectMaker } from './objects/make/make-object.ts';
import type { StripeObject } from './objects/object-store.ts';
import { SandboxServer } from './sandbox-server.ts';
import type { SeedParts } from './state/plant-seed.ts';
import { type Plant, SandboxObjects } from './state/sandbox-objects.ts';

export interface SandboxOptions {
  readonly catalog: Catalog;
  /** Keeps keys in `.keyaudit/` of this folder; without it they live in memory. */
  readonly cwd?: string;
  readonly host?: string;
  /** Listens nowhere: this process alone reaches it. */
  readonly isPrivate?: boolean;
  /** 0 (the default) picks a free one. */
  readonly port?: number;
  readonly behaviour?: Partial<Behaviour>;
  /** The clock, in ms since 1970. */
  readonly now?: () => number;
  /** URL of a stripe-mock: what the gate lets through goes on to it, and its answer comes back as it is. */
  readonly upstream?: string;
  /** A folder that keeps the objects; without it they live in memory. */
  readonly data?: string;
  /** A YAML text of objects that are there from the beginning. */
  readonly seed?: { readonly text: string; readonly file: string };
}

/** A running sandbox. */
export interface Sandbox {
  readonly url: string;
  /** Its test and live secret keys; they open nothing but this server. */
  readonly secretKey: SecretKey;
  readonly liveSecretKey: SecretKey;
  /** The test one as text: printed on purpose, since it opens nothing but this server. */
  readonly shownSecretKey: string;
  /** May be changed while it runs. */
  readonly behaviour: Behaviour;
  /** Every object that calls have made, all accounts and modes. */
  objects(): readonly StripeObject[];
  /** What whoever started it should know, a sentence each. */
  readonly notes: readonly string[];
  /** Requests answered so far, by method and status: `POST 400`. */
  requests(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/**
 * Starts the stand-in server: it authenticates, checks permissions over the whole catalog, and serves
 * objects. docs/fidelity.md says where it differs from Stripe.
 * @throws KeyauditError `PORT_TAKEN`, `STORE_UNWRITABLE`, `STORE_LOCKED`, `SANDBOX_STATE_BROKEN`,
 * `SANDBOX_OBJECTS_BROKEN`, `SEED_INVALID`
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const now = options.now ?? Date.now;
  const keys = await KeyStore.open(options.cwd, now);
  const behaviour: Behaviour = { ...defaultBehaviour(), ...options.behaviour };
  const behind =
    options.upstream === undefined
      ? undefined
      : new (await import('./server-behind.ts')).ServerBehind(options.upstream);
  const types = new DeclaredTypes();
  const parts = { catalog: options.catalog, types, maker: new ObjectMaker(types), now };
  const { data } = options;
  const objects = await SandboxObjects.open({ data, plant: await plantOf(options.seed, parts) });
  const server = new SandboxServer({ ...parts, keys, behaviour, behind, objects });
  const host = options.isPrivate === true ? undefined : (options.host ?? '127.0.0.1');
  const url = await server.listen(host, options.port ?? 0).catch(async (error) => {
    await objects.close();
    throw error;
  });
  return {
    url,
    secretKey: keys.secretKey('test'),
    liveSecretKey: keys.secretKey('live'),
    shownSecretKey: keys.secretKey('test').reveal(),
    behaviour,
    objects: () => objects.all(),
    notes: objects.notes,
    requests: () => server.requests,
    close: () => server.close(),
  };
}

/** Loaded only here: YAML costs a tenth of the sandbox's start. */
async function plantOf(
  seed: SandboxOptions['seed'],
  parts: Omit<SeedParts, 'text' | 'file'>,
): Promise<Plant | undefined> {
  return seed === undefined
    ? undefined
    : (await import('./state/plant-seed.ts')).readSeed({ ...parts, ...seed });
}

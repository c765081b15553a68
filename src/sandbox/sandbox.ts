import type { Catalog } from '../core/catalog/catalog.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { type Behaviour, defaultBehaviour } from './faults/behaviour.ts';
import { KeyStore } from './keys/key-store.ts';
import type { StripeObject } from './objects/object-store.ts';
import { SandboxServer } from './sandbox-server.ts';

export interface SandboxOptions {
  readonly catalog: Catalog;
  /** Keeps keys in `.keyaudit/` of this folder; without it they live in memory. */
  readonly cwd?: string;
  readonly host?: string;
  /** 0 (the default) picks a free one. */
  readonly port?: number;
  readonly behaviour?: Partial<Behaviour>;
  /** The clock, in ms since 1970. */
  readonly now?: () => number;
  /** URL of a stripe-mock: what the gate lets through goes on to it, and its answer comes back as it is. */
  readonly upstream?: string;
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
  /** Requests answered so far, by method and status: `POST 400`. */
  requests(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/**
 * Starts the stand-in server: it authenticates, checks permissions over the whole catalog, and serves
 * objects in memory. docs/fidelity.md says where it differs from Stripe.
 * @throws KeyauditError `PORT_TAKEN`, `STORE_UNWRITABLE`, `SANDBOX_STATE_BROKEN`
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const now = options.now ?? Date.now;
  const keys = await KeyStore.open(options.cwd, now);
  const behaviour: Behaviour = { ...defaultBehaviour(), ...options.behaviour };
  const behind =
    options.upstream === undefined
      ? undefined
      : new (await import('./server-behind.ts')).ServerBehind(options.upstream);
  const server = new SandboxServer({ catalog: options.catalog, keys, behaviour, now, behind });
  const url = await server.listen(options.host ?? '127.0.0.1', options.port ?? 0);
  return {
    url,
    secretKey: keys.secretKey('test'),
    liveSecretKey: keys.secretKey('live'),
    shownSecretKey: keys.secretKey('test').reveal(),
    behaviour,
    objects: () => server.objects(),
    requests: () => server.requests,
    close: () => server.close(),
  };
}

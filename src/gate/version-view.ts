import type { BeyondSdk } from '../core/catalog/beyond-sdk.ts';
import type { Catalog } from '../core/catalog/catalog.ts';
import { Expansions } from '../core/catalog/expansion.ts';
import { type OlderVersion, OlderVersions } from '../core/catalog/older-versions.ts';
import { Gate } from './gate.ts';

/** What a version of the API changes for a request: which expansions lead somewhere, and what is taken beside. */
export interface VersionView {
  readonly expansions: Expansions;
  readonly gate: Gate;
  /** Undefined where it takes what the catalog's does. */
  readonly older: OlderVersion | undefined;
}

/** The API as each version of it has it. */
export class VersionViews {
  readonly #catalog: Catalog;
  readonly #beyondSdk: BeyondSdk;
  readonly #hasBeyondCalls: boolean;
  readonly #current: VersionView;
  readonly #older = new Map<OlderVersion, VersionView>();
  #versions: OlderVersions | undefined;

  /** @param hasBeyondCalls for a server that knows more calls than the SDK; fields beyond it are known to all */
  constructor(catalog: Catalog, beyondSdk: BeyondSdk, { hasBeyondCalls }: { hasBeyondCalls: boolean }) {
    this.#catalog = catalog;
    this.#beyondSdk = beyondSdk;
    this.#hasBeyondCalls = hasBeyondCalls;
    this.#current = this.#make(undefined);
  }

  /** @param version as in `Stripe-Version`; without it the catalog's holds */
  of(version: string | undefined): VersionView {
    if (version === undefined || version === this.#catalog.apiVersion) return this.#current;
    this.#versions ??= new OlderVersions();
    const older = this.#versions.of(version);
    if (older === undefined) return this.#current;
    const view = this.#older.get(older) ?? this.#make(older);
    this.#older.set(older, view);
    return view;
  }

  #make(older: OlderVersion | undefined): VersionView {
    const expansions = new Expansions(this.#catalog, this.#beyondSdk, older?.expansions);
    const calls = this.#hasBeyondCalls ? this.#beyondSdk : undefined;
    return { expansions, gate: new Gate(this.#catalog, expansions, calls), older };
  }
}

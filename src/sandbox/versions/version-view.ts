import type { BeyondSdk } from '../../core/catalog/beyond-sdk.ts';
import type { Catalog, OperationName } from '../../core/catalog/catalog.ts';
import { Expansions } from '../../core/catalog/expansion.ts';
import { OLDEST_VERSION, type OlderVersion, OlderVersions } from '../../core/catalog/older-versions.ts';
import { Gate } from '../../gate/gate.ts';
import type { AlsoTaken } from '../read-parameters.ts';

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
  readonly #current: VersionView;
  readonly #older = new Map<OlderVersion, VersionView>();
  #versions: OlderVersions | undefined;

  constructor(catalog: Catalog, beyondSdk: BeyondSdk) {
    this.#catalog = catalog;
    this.#beyondSdk = beyondSdk;
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

  /** What an answer to such a version does not have of it, for the header that says so. */
  notModelled(version: string | undefined): string | undefined {
    if (version === undefined || this.of(version).older === undefined) return undefined;
    const shape = `answers of ${version}: they have the shape of ${this.#catalog.apiVersion}`;
    return version.slice(0, 10) < OLDEST_VERSION ? `${shape}; requests are read as ${OLDEST_VERSION}` : shape;
  }

  #make(older: OlderVersion | undefined): VersionView {
    const expansions = new Expansions(this.#catalog, this.#beyondSdk, older?.expansions);
    return { expansions, gate: new Gate(this.#catalog, expansions, this.#beyondSdk), older };
  }
}

/** What a call of this version may carry that the catalog does not declare. */
export function alsoTaken({ older }: VersionView, operation: OperationName): AlsoTaken | undefined {
  const tokens = older?.taken.get(operation);
  return tokens === undefined ? undefined : (token) => tokens.has(token);
}

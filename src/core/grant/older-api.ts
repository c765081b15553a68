import type { BeyondSdk } from '../catalog/beyond-sdk.ts';
import { type Catalog, isWrite, type Operation } from '../catalog/catalog.ts';
import { type Expansion, Expansions } from '../catalog/expansion.ts';
import { OlderVersions } from '../catalog/older-versions.ts';

/** What is not of the catalog's API version, with what a user must know of it. */
export interface Older<T> {
  readonly found: T;
  /** A sentence on the version. */
  readonly remark: string;
}

/**
 * Calls and expansions that the catalog's version of the API does not have: of older versions, or not of the SDK. Load
 * this module only where it is needed, for its data.
 */
export class OlderApi {
  readonly #catalog: Catalog;
  readonly #beyondSdk: BeyondSdk;
  readonly #versions = new OlderVersions();
  readonly #calls = this.#versions.callsBefore;
  #expansions: readonly (readonly [string, Expansions])[] | undefined;

  constructor(catalog: Catalog, beyondSdk: BeyondSdk) {
    this.#catalog = catalog;
    this.#beyondSdk = beyondSdk;
  }

  /** A call in any spelling of a path, or by its name in the second table; undefined for one that is of today. */
  call(text: string): Older<Operation> | undefined {
    const spelt = /^(?:(get|post|delete)\s+)?(?:https?:\/\/[^/]+)?(\/[^\s?#]*)/i.exec(text.trim());
    const path = spelt?.[2]?.replace(/\/+$/, '').replace(/:[A-Za-z_]+|\{[^}]*\}|<[^>]*>/g, 'id');
    if (path === undefined) return this.#named(text.trim());
    for (const method of spelt?.[1] === undefined ? ['GET', 'POST', 'DELETE'] : [spelt[1].toUpperCase()]) {
      const found = this.#beyond(method, path) ?? this.#gone(method, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** What an older version expands at that path, the latest of them. */
  expansion(operation: Operation, path: string): Older<Expansion> | undefined {
    this.#expansions ??= this.#versions
      .expansionsBefore()
      .map(([before, older]) => [before, new Expansions(this.#catalog, this.#beyondSdk, older)]);
    for (const [before, expansions] of this.#expansions) {
      const found = expansions.find(operation, path);
      if (found !== undefined)
        return { found, remark: `"${path}" can be expanded in API versions before ${before} alone.` };
    }
    return undefined;
  }

  #named(name: string): Older<Operation> | undefined {
    const row = this.#beyondSdk.operations.find((one) => one.name === name && one.access !== 'expansion');
    return row === undefined ? undefined : this.#beyond(row.method, row.path.replaceAll('{id}', 'id'));
  }

  #beyond(method: string, path: string): Older<Operation> | undefined {
    const row = this.#beyondSdk.operations.find(
      (one) => one.access !== 'expansion' && one.method === method && fits(one.path, path),
    );
    if (row === undefined || !this.#isNearer(row.path, method, path)) return undefined;
    const before = this.#calls.get(`${method} ${row.path}`);
    const state = ACCESS_TEXT[row.access as keyof typeof ACCESS_TEXT] ?? '';
    const asked = row.version === undefined ? '' : ` It is asked with Stripe-Version ${row.version}.`;
    const gone = before === undefined ? '' : ` Other versions have not had it since ${before}.`;
    return { found: row, remark: `${state}${asked}${row.access === 'legacy' ? '' : gone}` };
  }

  #gone(method: string, path: string): Older<Operation> | undefined {
    for (const [call, before] of this.#calls) {
      const [itsMethod, itsPath = ''] = call.split(' ');
      if (itsMethod !== method || !fits(itsPath, path) || !this.#isNearer(itsPath, method, path)) continue;
      const neighbour = this.#neighbour(method, itsPath);
      const guess =
        neighbour === undefined
          ? ''
          : ` Its permission is inferred from ${neighbour.method} ${neighbour.path}.`;
      const remark = `API versions before ${before} alone have this call.${guess}`;
      const found: Operation = {
        name: call,
        method: method as Operation['method'],
        path: itsPath,
        resource: neighbour?.resource ?? '',
        kind: neighbour?.kind ?? 'retrieve',
        host: 'api',
        permissions: neighbour?.permissions ?? [],
        provenance: neighbour === undefined ? 'unknown' : 'inferred',
        source:
          neighbour === undefined
            ? `API versions before ${before} alone have it`
            : `as its neighbour ${neighbour.method} ${neighbour.path}`,
      };
      return { found, remark };
    }
    return undefined;
  }

  /** Whether a path names more than a call of today does that would take the same text for an id. */
  #isNearer(template: string, method: string, path: string): boolean {
    const today = this.#catalog.match(method, path)?.operation.path;
    return today === undefined || idsIn(template) < idsIn(today);
  }

  /** The call of today that reads or writes the same resource: the one whose path has most in common. */
  #neighbour(method: string, path: string): Operation | undefined {
    const all = [
      ...this.#beyondSdk.operations.filter(({ access }) => access !== 'expansion'),
      ...this.#catalog.operations,
    ];
    let best: { readonly operation: Operation; readonly length: number } | undefined;
    for (const operation of all) {
      if (isWrite(operation) !== (method !== 'GET') || operation.permissions.length === 0) continue;
      const length = commonPrefix(operation.path, path);
      if (length > LEAST_IN_COMMON && length > (best?.length ?? 0)) best = { operation, length };
    }
    return best?.operation;
  }
}

/** `/v1` alone says nothing of a resource: it and the empty text before it. */
const LEAST_IN_COMMON = 2;

const ACCESS_TEXT = {
  preview: 'Not in the SDK: a preview that Stripe opens account by account.',
  private: 'Not in the SDK: a private preview that Stripe opens account by account.',
  legacy: 'Not in the SDK: newer API versions do not have this call.',
  unsafe: "Not in the SDK: a call of Stripe's own tools.",
} as const;

function fits(template: string, path: string): boolean {
  const [a, b] = [template.split('/'), path.split('/')];
  return a.length === b.length && a.every((segment, index) => segment === '{id}' || segment === b[index]);
}

function idsIn(template: string): number {
  return template.split('{id}').length - 1;
}

function commonPrefix(one: string, other: string): number {
  const [a, b] = [one.split('/'), other.split('/')];
  const differs = a.findIndex((segment, index) => segment !== b[index]);
  return differs < 0 ? a.length : differs;
}

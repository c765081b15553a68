import type { Operation, OperationKind, ResourceName } from '../../src/core/catalog/catalog.ts';
import type { SdkRequest } from './sdk.ts';

/** An endpoint with what a resource name is made of. */
export interface NamedRequest extends Pick<SdkRequest, 'name' | 'method' | 'path' | 'methodType'> {
  readonly permissions: Operation['permissions'];
}

/**
 * Paths whose resource cannot be read off their form. Keep it short: each row needs its reason.
 */
const EXCEPTIONS: Readonly<Record<string, ResourceName>> = {
  '/v1/account': 'accounts', // the same object as /v1/accounts/{id}, reached without its id
  '/oauth/token': 'oauth', // a protocol of two calls, with no objects of its own
  '/oauth/deauthorize': 'oauth',
};

/**
 * Names the resource of every endpoint, as a reader of Stripe's paths would:
 * 1. The static segments at the start of the path, without `/v1` (`/v2` stays), are the candidates. The resource is
 *    the shortest run of them that is itself an endpoint or has objects (`…/{id}`) under it, so `charges/search`,
 *    `invoices/create_preview` and `credit_notes/preview/lines` belong to what stands in front of them.
 * 2. Where no such run exists, a last segment that is the SDK method's own name is a verb and goes (`tax/associations/find`).
 * 3. `test_helpers/` goes where a resource of the rest's name exists (`test_helpers/refunds` → `refunds`).
 * 4. A collection under an id (`customers/{id}/sources`) belongs to its parent, unless it needs a permission of
 *    another family: then it is the top-level resource of its name if that has the family (`payment_methods`),
 *    else `parent/collection` (`accounts/login_links`).
 */
export function resourceNames(requests: readonly NamedRequest[]): Map<NamedRequest, ResourceName> {
  const plain = requests.filter((request) => !isTestHelper(request.path));
  const collections = collectionsOf(plain.map((request) => request.path));
  const testCollections = collectionsOf(requests.map((request) => request.path));
  const owners = new Map<NamedRequest, ResourceName>();
  for (const request of requests) owners.set(request, ownerOf(request, collections, testCollections));
  const families = familiesOf(owners);
  return new Map([...owners].map(([request, owner]) => [request, separateNested(request, owner, families)]));
}

/** What an operation does, from its HTTP method, its path, its resource and the verb in its SDK name. */
export function kindOf(request: Omit<NamedRequest, 'permissions'>, resource: ResourceName): OperationKind {
  const { name, method, path, methodType } = request;
  if (methodType !== undefined) return methodType;
  if (method === 'GET') return 'retrieve';
  if (method === 'DELETE') return 'delete';
  const last = path.split('/').at(-1) ?? '';
  const verb = name.split('.').at(-1) ?? '';
  const isVerbOfStripe = snakeCase(verb) === last && resource.split('/').at(-1) !== last;
  if (isVerbOfStripe) return 'action'; // such as /v1/invoices/create_preview
  if (last === '{id}' || verb.startsWith('update')) return 'update';
  return verb.startsWith('create') || resource.split('/').at(-1) === last ? 'create' : 'action';
}

function ownerOf(
  request: NamedRequest,
  collections: ReadonlySet<string>,
  testCollections: ReadonlySet<string>,
): ResourceName {
  const exception = EXCEPTIONS[request.path];
  if (exception !== undefined) return exception;
  const segments = staticHead(request.path);
  if (isTestHelper(request.path)) {
    const tested = shortestRun(
      segments.filter((segment) => segment !== 'test_helpers'),
      collections,
    );
    if (tested !== undefined) return tested;
  }
  const found = shortestRun(segments, testCollections);
  if (found !== undefined && found !== segments.join('/')) return found;
  const verb = snakeCase(request.name.split('.').at(-1) ?? '');
  return (segments.at(-1) === verb ? segments.slice(0, -1) : segments).join('/');
}

/** Every static start of a path that is an endpoint or has an `{id}` right under it. */
function collectionsOf(paths: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const path of paths) found.add(staticHead(path).join('/'));
  return found;
}

function shortestRun(segments: readonly string[], collections: ReadonlySet<string>): string | undefined {
  for (let length = 1; length <= segments.length; length++) {
    const run = segments.slice(0, length).join('/');
    if (collections.has(run)) return run;
  }
  return undefined;
}

/** `/v1/issuing/cards/{id}/x` → `issuing`, `cards`; `/v2/core/accounts` → `v2`, `core`, `accounts`. */
function staticHead(path: string): string[] {
  const segments = path.split('/').slice(path.startsWith('/v1/') ? 2 : 1);
  const id = segments.indexOf('{id}');
  return id === -1 ? segments : segments.slice(0, id);
}

function isTestHelper(path: string): boolean {
  return path.split('/').includes('test_helpers');
}

/** The collection right under the first id: `/v1/customers/{id}/sources/{id}` → `sources`. */
function nestedCollection(path: string): string | undefined {
  const segments = path.split('/');
  return segments[segments.indexOf('{id}') + 1];
}

function familyOf(request: NamedRequest): string | undefined {
  return request.permissions[0]?.replace(/_(read|write)$/, '');
}

/** Which permission families the endpoints of each resource itself need, those under an id left out. */
function familiesOf(owners: ReadonlyMap<NamedRequest, ResourceName>): Map<ResourceName, Set<string>> {
  const families = new Map<ResourceName, Set<string>>();
  for (const [request, owner] of owners) {
    const family = familyOf(request);
    if (family === undefined || (request.path.includes('{id}/') && !isTestHelper(request.path))) continue;
    families.set(owner, (families.get(owner) ?? new Set()).add(family));
  }
  return families;
}

function separateNested(
  request: NamedRequest,
  owner: ResourceName,
  families: ReadonlyMap<ResourceName, ReadonlySet<string>>,
): ResourceName {
  const family = familyOf(request);
  if (family === undefined || !request.path.includes('{id}/')) return owner;
  const parent = families.get(owner);
  if (parent === undefined || parent.has(family)) return owner;
  const collection = nestedCollection(request.path) ?? '';
  return families.get(collection)?.has(family) ? collection : `${owner}/${collection}`;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

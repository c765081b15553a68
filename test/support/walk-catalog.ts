import { Catalog, type Operation } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import {
  type DeclaredFields,
  type DeclaredType,
  DeclaredTypes,
} from '../../src/core/catalog/declared-types.ts';
import {
  COLLECTIONS,
  collectionOf,
  idCollectionsOf,
  objectKind,
  referencedResource,
} from '../../src/core/catalog/id-prefix.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { seedBed } from '../../src/sandbox/state/seed-bed.ts';

/** A call of the walk, and what came back. */
export interface Step {
  readonly operation: Operation;
  readonly fields: Fields;
  readonly status: number;
  readonly body: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/** What Stripe asks for beyond what stripe-node declares as required, and what a call needs to go through. */
const ALSO_REQUIRED: Readonly<Record<string, Fields>> = {
  'charges.create': { amount: 5000, currency: 'usd', source: 'tok_visa' },
  'transfers.create': { amount: 10 },
  'creditNotes.create': { amount: 10 },
  'paymentIntents.confirm': { payment_method: 'pm_card_visa' },
  'paymentLinks.create': {
    line_items: [
      { price_data: { currency: 'usd', unit_amount: 5, product_data: { name: 'x' } }, quantity: 1 },
    ],
  },
  'setupIntents.confirm': { payment_method: 'pm_card_visa' },
};
const OPEN_INVOICE: readonly (readonly [name: string, fields: Fields])[] = [
  ['invoices.addLines', { lines: [{ amount: 100, description: 'x' }] }],
  ['invoices.finalizeInvoice', {}],
];
/** What is called before, so that the object that a call addresses, or names, is in the state that it needs. */
const STATES: Readonly<Record<string, readonly (readonly [name: string, fields: Fields])[]>> = {
  'creditNotes.create': OPEN_INVOICE,
  'invoices.markUncollectible': OPEN_INVOICE,
  'invoices.voidInvoice': OPEN_INVOICE,
  'paymentIntents.incrementAuthorization': [
    ['paymentIntents.update', { amount: 5 }],
    ['paymentIntents.confirm', { payment_method: 'pm_card_visa', capture_method: 'manual' }],
  ],
  'subscriptions.resume': [['subscriptions.pause', { type: 'subscription' }]],
};
/** Parameters that name an object and are not required of every caller. */
const ALSO_REFERENCES: Readonly<Record<string, string>> = {
  'refunds.create': 'charge',
  'creditNotes.create': 'invoice',
  'invoices.create': 'customer',
  'paymentMethods.attach': 'customer',
  'paymentAttemptRecords.list': 'payment_record',
};

interface WalkParts {
  readonly catalog: Catalog;
  readonly types: DeclaredTypes;
  /** Of objects that are there and no call makes. */
  readonly places: Places;
}

/** Calls every operation that the sandbox has, each with what it requires and objects that are there. */
class CatalogWalk {
  readonly #catalog: Catalog;
  readonly #types: DeclaredTypes;
  readonly #url: string;
  readonly #key: string;
  /** Ids by collection, those of the objects before it first. */
  readonly #made: Map<string, readonly string[]>;
  readonly steps: Step[] = [];

  constructor(
    { url, key }: { readonly url: string; readonly key: string },
    { catalog, types, places }: WalkParts,
  ) {
    this.#catalog = catalog;
    this.#types = types;
    this.#url = url;
    this.#key = key;
    this.#made = new Map(Object.entries(places));
  }

  async walk(): Promise<readonly Step[]> {
    const order = ['create', 'retrieve', 'list', 'search', 'update', 'action', 'delete'];
    const operations = [...this.#catalog.operations].sort(
      (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind),
    );
    for (const operation of operations) {
      if (operation.host === 'connect') continue;
      await this.#call(operation);
    }
    return this.steps;
  }

  async #call(operation: Operation): Promise<Step> {
    const ids = operation.path.includes('{id}') ? await this.#idsFor(operation) : [];
    const fields = await this.#required(operation);
    const step = await this.#send(operation, ids, { ...fields, ...(await this.#foundBy(operation, fields)) });
    this.steps.push(step);
    const collection = collectionOf(operation.path);
    const { id } = step.body as { id?: string };
    if (operation.kind === 'create' && id !== undefined && !this.#made.has(collection)) {
      this.#made.set(collection, [...ids, id]);
    }
    return step;
  }

  /** What finds an object by what it says, needs one that says so. */
  async #foundBy({ name, path }: Operation, fields: Fields): Promise<Fields> {
    if (!/\.(?:find|deleteWhere)$/.test(name)) return {};
    const create = this.#catalog.operations.find(
      (one) => one.kind === 'create' && one.path === path.replace(/\/\w+$/, ''),
    );
    if (create !== undefined) await this.#send(create, [], { ...(await this.#required(create)), ...fields });
    return {};
  }

  /** An object for each id of a path; what a call removes is made for it alone. */
  async #idsFor({ path, kind, name }: Operation): Promise<readonly string[]> {
    const collections = idCollectionsOf(path);
    const last = collections.at(-1) ?? '';
    const ids = await this.#objectIn(last, { isFresh: kind === 'delete' || kind === 'action', name });
    await this.#bringAbout(name, ids);
    return ids;
  }

  async #bringAbout(name: string, ids: readonly string[]): Promise<void> {
    for (const [before, fields] of STATES[name] ?? []) {
      const operation = this.#catalog.operation(before);
      if (operation !== undefined) await this.#send(operation, ids, fields);
    }
  }

  async #objectIn(
    collection: string,
    { isFresh }: { isFresh: boolean; name?: string },
  ): Promise<readonly string[]> {
    const known = this.#made.get(collection);
    if (known !== undefined && !isFresh) return known;
    const bed = seedBed(collection, { catalog: this.#catalog, types: this.#types });
    if (bed?.create === undefined) return known ?? [];
    const above = idCollectionsOf(bed.create.path);
    const parents = above.length === 0 ? [] : await this.#objectIn(above.at(-1) ?? '', { isFresh });
    const { body } = await this.#send(bed.create, parents, await this.#required(bed.create));
    const { id } = body as { id?: string };
    const ids = [...parents, id ?? 'none'];
    if (!isFresh || known === undefined) this.#made.set(collection, ids);
    return ids;
  }

  async #required({ name }: Operation): Promise<Fields> {
    const reference = ALSO_REFERENCES[name];
    // What can be done to an object once needs another one each time.
    const [resource = ''] = [referencedResource(reference ?? '')];
    const made =
      reference === undefined ? [] : await this.#objectIn(collectionOf(resource), { isFresh: true });
    if (reference !== undefined) await this.#bringAbout(name, made);
    return {
      ...(await this.#fields(this.#types.parametersOf(name))),
      ...(reference === undefined ? {} : { [reference]: made.at(-1) }),
      ...ALSO_REQUIRED[name],
    };
  }

  async #fields(declared: DeclaredFields): Promise<Fields> {
    const fields: Record<string, unknown> = {};
    for (const { name, optional, type } of declared.values()) {
      if (!optional) fields[name] = await this.#value(name, type);
    }
    return fields;
  }

  /** A form cannot say that a map is there and empty. */
  async #part(declared: DeclaredFields): Promise<Fields> {
    const fields = await this.#fields(declared);
    const [first] = declared.values();
    return Object.keys(fields).length > 0 || first === undefined
      ? fields
      : { [first.name]: await this.#value(first.name, first.type) };
  }

  async #value(name: string, type: DeclaredType): Promise<unknown> {
    switch (type.kind) {
      case 'string':
        return this.#text(name);
      case 'enum':
        return type.values.find((value) => value !== '') ?? '';
      case 'integer':
        return /_at$|until|expires|end|timestamp|date/.test(name) ? 1_900_000_000 : 10;
      case 'number':
        return 10;
      case 'decimal':
      case 'int64':
        return '10';
      case 'boolean':
      case 'true':
        return true;
      case 'map':
        return { a: 'b' };
      case 'array':
      case 'list':
        return [await this.#value(name, type.of)];
      case 'part':
        return this.#part(this.#types.fieldsOf(type));
      case 'union':
        return type.members[0] === undefined ? '' : this.#value(name, type.members[0]);
      case 'file':
        return new Blob(['%PDF-1.4'], { type: 'application/pdf' });
      default:
        return 'x';
    }
  }

  async #text(name: string): Promise<string> {
    const resource = referencedResource(name);
    if (resource !== undefined) {
      return (await this.#objectIn(collectionOf(resource), { isFresh: false })).at(-1) ?? 'none';
    }
    return TEXTS.find(([pattern]) => pattern.test(name))?.[1] ?? 'x';
  }

  async #send(operation: Operation, ids: readonly string[], fields: Fields): Promise<Step> {
    const { method, path } = operation;
    let index = 0;
    const url = `${this.#url}${path.replaceAll('{id}', () => encodeURIComponent(ids[index++] ?? 'none'))}`;
    const isV2 = path.startsWith('/v2/');
    const hasBody = method === 'POST';
    const form = formOf(fields);
    const isMultipart = Object.values(fields).some((value) => value instanceof Blob);
    const response = await fetch(hasBody || form.size === 0 ? url : `${url}?${form}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(hasBody && isV2 ? { 'content-type': 'application/json' } : {}),
      },
      ...(hasBody ? { body: isMultipart ? multipart(fields) : isV2 ? JSON.stringify(fields) : form } : {}),
    });
    const text = await response.text();
    const body = text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
    return { operation, fields, status: response.status, body };
  }
}

const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/currency/, 'usd'],
  [/country/, 'US'],
  [/email/, 'a@example.com'],
  [/url/, 'https://example.com/x'],
  [/^query$/, "metadata['a']:'b'"],
  [/^date|_date/, '2030-01-01'],
];

/** `a[0][b]`, as most clients write nested fields. */
function formOf(fields: Fields): URLSearchParams {
  const form = new URLSearchParams();
  const add = (name: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) form.append(name, String(value));
    else for (const [key, one] of Object.entries(value)) add(`${name}[${key}]`, one);
  };
  for (const [name, value] of Object.entries(fields)) add(name, value);
  return form;
}

function multipart(fields: Fields): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Blob) form.append(name, value, 'a.pdf');
    else form.append(name, String(value));
  }
  return form;
}

/** Where what no call makes lies, with the ids of all that its path names. */
type Places = Readonly<Record<string, readonly string[]>>;

/** A seed with an object in each collection that has no create, and what these lie in. */
function seedOfTheRest(options: { readonly catalog: Catalog; readonly types: DeclaredTypes }): {
  readonly seed: Readonly<Record<string, readonly Fields[]>>;
  readonly places: Places;
} {
  const seed: Record<string, readonly Fields[]> = {};
  const places: Record<string, readonly string[]> = {};
  for (const collection of COLLECTIONS) {
    const bed = seedBed(collection, options);
    if (bed === undefined || bed.create !== undefined) continue;
    const above = idCollectionsOf(bed.path);
    // What lies in something that a call makes with more than an id comes from that call.
    if (above.some((one) => one !== 'customers' && one !== 'accounts' && seed[one] === undefined)) continue;
    const ids = above.map((one) => `${objectKind(one).prefix}_1Walk`);
    for (const [index, one] of above.entries()) seed[one] ??= [{ id: ids[index] }];
    const id = `${objectKind(collection).prefix}_1Walk`;
    const parents = Object.fromEntries(bed.parents.map((name, index) => [name, ids[index]]));
    seed[collection] = [bed.fields.has('id') ? { id, ...parents } : parents];
    places[collection] = [...ids, id];
  }
  return { seed, places };
}

/** Walks the whole catalog on a sandbox of its own. */
export async function walkSandbox(): Promise<{
  readonly catalog: Catalog;
  readonly types: DeclaredTypes;
  readonly steps: readonly Step[];
}> {
  const catalog = new Catalog(catalogData);
  const types = new DeclaredTypes();
  const { seed, places } = seedOfTheRest({ catalog, types });
  const sandbox = await startSandbox({ catalog, seed: { text: JSON.stringify(seed), file: 'seed.yaml' } });
  const server = { url: sandbox.url, key: sandbox.shownSecretKey };
  const steps = await new CatalogWalk(server, { catalog, types, places }).walk();
  await sandbox.close();
  return { catalog, types, steps };
}

/** What the walk cannot bring about, with the reason. */
export const REFUSED_ON_THE_WALK: Readonly<Record<string, string>> = {
  'charges.capture': 'the charge that the walk makes is captured at once',
  'customers.retrievePaymentMethod': 'the payment methods that the walk makes belong to nobody',
  'invoices.updateLineItem': 'the invoice that the walk makes has no lines',
  'paymentIntents.capture': 'the payment intent that the walk makes is not confirmed',
  'tax.associations.find': 'only Stripe makes associations',
  'paymentMethods.detach': 'the payment methods that the walk makes belong to nobody',
  'payouts.reverse': 'the payout that the walk makes has not reached the bank',
  'refunds.cancel': 'the refund that the walk makes succeeds at once',
  'testHelpers.refunds.expire': 'the refund that the walk makes succeeds at once',
  'testHelpers.testClocks.advance': 'test clocks are refused by name',
  'testHelpers.testClocks.create': 'test clocks are refused by name',
  'testHelpers.testClocks.del': 'test clocks are refused by name',
  'testHelpers.testClocks.retrieve': 'test clocks are refused by name',
  'topups.cancel': 'top-ups succeed at once',
};

import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { DeclaredTypes } from '../../src/core/catalog/declared-types.ts';
import type { Answer } from '../../src/http/answer.ts';
import type { Fields } from '../../src/http/form-body.ts';
import { ObjectMaker } from '../../src/sandbox/objects/make/make-object.ts';
import { ObjectStore, type StripeObject } from '../../src/sandbox/objects/object-store.ts';
import { serveOperation } from '../../src/sandbox/objects/serve-operation.ts';

const catalog = new Catalog(catalogData);
const maker = new ObjectMaker(new DeclaredTypes());

export interface Called {
  readonly status: number;
  readonly body: StripeObject & { readonly error?: Fields };
  /** What the answer says that it lacks. */
  readonly notModelled: string | undefined;
}

/** The objects of one account, called by the names of operations, on a clock that tests turn. */
export class Objects {
  readonly store = new ObjectStore();
  /** In ms since 1970. */
  now = Date.parse('2026-11-25T12:00:00Z');

  call(name: string, fields: Fields = {}, ids: readonly string[] = []): Called {
    const operation = catalog.operation(name);
    if (operation === undefined) throw new Error(`no operation ${name}`);
    const answer: Answer = serveOperation({
      operation,
      ids,
      path: operation.path,
      fields,
      expansions: [],
      store: this.store,
      maker,
      livemode: false,
      now: this.now,
    });
    const notModelled = answer.headers?.['x-keyaudit-not-modelled'];
    // As it is on the wire: what follows does not change it.
    const body = JSON.parse(JSON.stringify(answer.body)) as Called['body'];
    return {
      status: answer.status,
      body,
      notModelled: notModelled === undefined ? undefined : String(notModelled),
    };
  }

  /** The body of a call that goes through. @throws with the refusal of one that does not */
  made(name: string, fields: Fields = {}, ids: readonly string[] = []): StripeObject {
    const { status, body } = this.call(name, fields, ids);
    if (status !== 200) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** The types of the events so far, first to last. */
  get events(): readonly unknown[] {
    return [...this.store.list('events')].reverse().map(({ type }) => type);
  }

  /** What there is to pay out. */
  get balance(): number {
    const { available } = this.made('balance.retrieve') as unknown as { available: { amount: number }[] };
    return available[0]?.amount ?? 0;
  }

  later(seconds: number): void {
    this.now += seconds * 1000;
  }
}

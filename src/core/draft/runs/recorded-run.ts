import { z } from 'zod';
import type { Catalog, Operation } from '../../catalog/catalog.ts';
import { moneyRuleOf } from '../../catalog/money.ts';
import { MONEY_CLASSES } from '../../catalog/money-rule.ts';
import { isExpandPath, type KnownWords, knownWords, parameterName, withoutIds } from './known-words.ts';

/** The schema of a run file's first line. */
export const RUN_SCHEMA = 'keyaudit.run/1';

const count = z.int().min(1).max(1_000_000_000);
const shortText = z.string().max(200);

/** One kind of call of a run: calls that differ in nothing that is kept are counted together. */
export const recordedCallSchema = z.strictObject({
  /** Null for a call that the catalog does not know. */
  operation: shortText.nullable(),
  method: z.string().regex(/^[A-Z]{1,10}$/),
  /** Path template, every id written `{id}`. */
  path: z.string().max(400),
  expand: z.array(shortText).max(20),
  /** Whether it was made with `Stripe-Account`. */
  account: z.boolean(),
  /** HTTP status; null where no answer came. */
  status: z.int().min(100).max(599).nullable(),
  /** `error.code`, else `error.type`, of an answer from 400 on. */
  code: shortText.optional(),
  /** Names of top-level parameters, sorted; never a value. */
  parameters: z.array(shortText).max(100),
  count,
  /** What it has to do with money; absent for what has nothing. */
  moneyClass: z.enum(MONEY_CLASSES).optional(),
  /** What `amount` said, by currency: the largest, and the sum, in minor units. */
  money: z
    .array(z.strictObject({ currency: z.string().max(3), largest: z.int().min(0), sum: z.int().min(0) }))
    .max(50)
    .optional(),
});

/** What is known of a run as a whole. */
export const runHeadSchema = z.strictObject({
  schema: z.literal(RUN_SCHEMA),
  /** What was recorded; runs of one name are folded together. */
  name: shortText,
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  catalog: shortText,
  /** Where the calls were seen: `node`, `python`, or the format that was imported. */
  seenBy: z.array(shortText).max(20),
  /** What the agent's profile granted when it was recorded; absent where that is not known. */
  granted: z.array(shortText).max(500).optional(),
  /** The same for calls with `Stripe-Account`. */
  connectGranted: z.array(shortText).max(500).optional(),
  /** What could not be seen, one sentence each. */
  unseen: z.array(z.string().max(400)).max(50),
});

export type RecordedCall = Readonly<z.infer<typeof recordedCallSchema>>;
export type RunHead = Readonly<z.infer<typeof runHeadSchema>>;

/** What an agent called in one run: operations, never values. */
export interface RecordedRun extends RunHead {
  readonly calls: readonly RecordedCall[];
}

/** A call as a hook, a log or a file gives it, before the catalog has named it. */
export interface NotedCall {
  readonly method: string;
  /** Path with ids or without; no query. */
  readonly path: string;
  readonly expand?: readonly string[] | undefined;
  readonly account?: boolean | undefined;
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly parameters?: readonly string[] | undefined;
  readonly amount?: number | undefined;
  readonly currency?: string | undefined;
}

/** Gathers the calls of one run, without any word that is not Stripe's own; what differs in nothing that is kept is counted, so that memory stays small. */
export class RunRecorder {
  readonly #catalog: Catalog;
  readonly #words: KnownWords;
  readonly #calls = new Map<string, MutableCall>();

  constructor(catalog: Catalog, words: KnownWords = knownWords(catalog)) {
    this.#catalog = catalog;
    this.#words = words;
  }

  note(noted: NotedCall): void {
    const method = noted.method.toUpperCase();
    const operation = this.#catalog.match(method, noted.path)?.operation;
    const moneyClass = operation === undefined ? undefined : moneyRuleOf(operation.name)?.moneyClass;
    const words = this.#words;
    const call: MutableCall = {
      operation: operation?.name ?? null,
      method: /^[A-Z]{1,10}$/.test(method) ? method : 'OTHER',
      path: operation?.path ?? withoutIds(noted.path, words),
      expand: [...new Set(noted.expand ?? [])]
        .filter((path) => isExpandPath(path, words))
        .sort()
        .slice(0, 20),
      account: noted.account ?? false,
      status: noted.status ?? null,
      code: noted.code !== undefined && words.codes.has(noted.code) ? noted.code : undefined,
      parameters: [...new Set(noted.parameters ?? [])]
        .map((name) => parameterName(name, words))
        .filter((name, index, names) => names.indexOf(name) === index)
        .sort()
        .slice(0, 100),
      count: 1,
      moneyClass: moneyClass === 'none' ? undefined : moneyClass,
      money: undefined,
    };
    const key = JSON.stringify(call);
    const known = this.#calls.get(key);
    if (known === undefined) this.#calls.set(key, call);
    else known.count += 1;
    addMoney(known ?? call, noted, words);
  }

  /** In a stable order: by path, method, and what else tells calls apart. */
  get calls(): readonly RecordedCall[] {
    return [...this.#calls]
      .map(([key, { code, money, ...call }]) => ({
        key: `${call.path} ${call.method} ${key}`,
        call: {
          ...call,
          code,
          money,
        },
      }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ call }) => call);
  }
}

type MutableCall = { -readonly [K in keyof Required<RecordedCall>]: RecordedCall[K] };

function addMoney(call: MutableCall, { amount, currency }: NotedCall, { currencies }: KnownWords): void {
  if (amount === undefined || !Number.isSafeInteger(amount) || amount < 0) return;
  const name = currency !== undefined && currencies.has(currency) ? currency : '';
  const money = call.money ?? [];
  const known = money.find((one) => one.currency === name);
  if (known === undefined) {
    call.money = [...money, { currency: name, largest: amount, sum: amount }].slice(0, 50);
  } else {
    known.largest = Math.max(known.largest, amount);
    known.sum = Math.min(known.sum + amount, Number.MAX_SAFE_INTEGER);
  }
}

/** The guard's refusals that a permission would have spared, and those of a key that is none of its own. */
const NOT_ALLOWED = /^keyaudit_(?:operation_not_allowed|unknown_operation|run_unknown)$/;

/** Whether the guard kept a call from Stripe that was wanted, by a cap or a kill, whatever status the agent was told. */
export function wasStopped(code: string | undefined): boolean {
  return code?.startsWith('keyaudit_') === true && !NOT_ALLOWED.test(code) && !MAY_HAVE_ARRIVED.test(code);
}

/** What the guard says where nobody knows what became of a call. */
const MAY_HAVE_ARRIVED = /^keyaudit_(?:outcome_unknown|upstream_unreachable)$/;

/** What an answer says of a permission: the check comes before all else, so most answers prove that it was there. */
export type CallOutcome = 'used' | 'refused' | 'unauthorized' | 'unanswered';

/** @see docs/observed.md on the order of Stripe's checks */
export function outcomeOf({ status, code }: Pick<RecordedCall, 'status' | 'code'>): CallOutcome {
  if (wasStopped(code)) return 'unanswered';
  if (status === null) return 'unanswered';
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'refused';
  // An error of the server says nothing of the permission; that the call was wanted it shows all the same.
  return status >= 500 ? 'unanswered' : 'used';
}

/** The operation of a recorded call by today's catalog, which may know more than that of the recording. */
export function operationOf(call: RecordedCall, catalog: Catalog): Operation | undefined {
  return (
    (call.operation === null ? undefined : catalog.operation(call.operation)) ??
    catalog.match(call.method, call.path.replaceAll('{id}', 'id'))?.operation
  );
}

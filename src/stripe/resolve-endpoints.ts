import { setTimeout as delay } from 'node:timers/promises';
import PQueue from 'p-queue';
import Stripe from 'stripe';
import { z } from 'zod';
import type { ResolverAnswer } from '../core/calibrate/check-rows.ts';
import { EXIT, KeyauditError } from '../core/error.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { boundedHttpClient } from './bounded-http-client.ts';
import { Pacer } from './pacer.ts';
import { createStripeClient } from './stripe-client.ts';

/** Where Stripe's command line asks which permissions endpoints need. @see docs/observed.md */
const PATH = '/v1/stripecli/key_permissions';
const MOST_ATTEMPTS = 4;
const FIRST_BACKOFF_MS = 500;
const CONCURRENCY = 8;

const answerSchema = z.object({
  permissions: z.array(z.string()),
  unresolved_endpoints: z.array(z.object({ endpoint: z.string(), reason: z.string().nullish() })).nullish(),
});

export interface ResolverOptions {
  /** An unrestricted test key. */
  readonly key: SecretKey;
  readonly apiBase: string;
  readonly apiVersion: string;
  readonly ratePerSecond?: number;
  readonly signal?: AbortSignal;
}

export interface Resolver {
  ask(endpoints: readonly string[]): Promise<ResolverAnswer>;
  readonly requests: number;
}

/** Stripe's own resolver from endpoints to permissions. */
export function createResolver(options: ResolverOptions): Resolver {
  const client = createStripeClient({ ...options, httpClient: boundedHttpClient(options.apiBase) });
  const sleep = (ms: number, signal?: AbortSignal) => delay(ms, undefined, { signal }).catch(() => {});
  const pacer = new Pacer(options.ratePerSecond, () => performance.now(), sleep);
  const queue = new PQueue({ concurrency: CONCURRENCY });
  let requests = 0;
  const once = async (endpoints: readonly string[]): Promise<ResolverAnswer> => {
    for (let attempt = 1; ; attempt++) {
      await pacer.turn(options.signal);
      if (options.signal?.aborted === true) throw options.signal.reason;
      requests++;
      const sentAt = performance.now();
      try {
        return read(await client.rawRequest('POST', PATH, { endpoints: [...endpoints] }));
      } catch (error) {
        if (error instanceof KeyauditError) throw error;
        if (error instanceof Stripe.errors.StripeRateLimitError) pacer.slowDown(sentAt);
        if (attempt === MOST_ATTEMPTS || !isPassing(error)) throw resolverError(error);
        await sleep(Math.random() * FIRST_BACKOFF_MS * 2 ** attempt, options.signal);
      }
    }
  };
  return {
    ask: (endpoints) => queue.add(() => once(endpoints), { throwOnTimeout: true }),
    get requests() {
      return requests;
    },
  };
}

function read(body: unknown): ResolverAnswer {
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) {
    throw new KeyauditError('RESOLVER_ANSWER', "Stripe's resolver answered in an unknown form.", {
      exitCode: EXIT.undetermined,
    });
  }
  const { permissions, unresolved_endpoints: unresolved } = parsed.data;
  return {
    permissions: permissions.map((name) => name.replace(/^rak_/, '')),
    unresolved: (unresolved ?? []).map(({ endpoint, reason }) => ({ endpoint, reason: reason ?? '' })),
  };
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return false;
  const { statusCode } = error;
  return statusCode === undefined || statusCode === 429 || statusCode >= 500;
}

/** Never Stripe's own message, which may repeat what was sent. */
function resolverError(error: unknown): KeyauditError {
  const status = error instanceof Stripe.errors.StripeError ? error.statusCode : undefined;
  if (status === 401) {
    return new KeyauditError('SECRET_KEY_REFUSED', 'The secret key is not accepted there (HTTP 401).');
  }
  const isMissing = status === 403 || status === 404 || status === 400;
  return new KeyauditError(
    isMissing ? 'RESOLVER_UNAVAILABLE' : 'RESOLVER_FAILED',
    isMissing
      ? `Stripe's resolver of endpoints is not available to this account or key (HTTP ${status}).`
      : `Stripe's resolver of endpoints could not be asked (${status === undefined ? 'no answer' : `HTTP ${status}`}).`,
    { exitCode: EXIT.undetermined },
  );
}

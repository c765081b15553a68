import { randomUUID } from 'node:crypto';
import { didYouMean } from '../core/document/nearest.ts';
import { parseDuration } from '../core/duration.ts';
import { EXIT, type ExitCode, KeyauditError } from '../core/error.ts';
import { SecretKey } from '../core/secret-key.ts';
import { forgetSecret } from '../keys/clean-up.ts';
import { openEndingApi } from '../keys/open-key-api.ts';
import { type Retirement, retireKey, seconds } from '../keys/retire-key.ts';
import { paintFor, wrap } from '../report/text.ts';
import type { CommandContext } from '../session/context.ts';
import { startSpinner } from '../session/progress.ts';
import { printResult } from '../session/result-output.ts';
import { beginWork } from '../store/journal.ts';
import { fingerprintOf, type KeyRecord, readKeyRecords } from '../store/key-records.ts';
import { openPlace } from '../store/secrets/secret-store.ts';
import { openTarget } from '../targets/open-target.ts';
import { accountOf } from './provision.ts';

export interface RevokeOptions {
  /** A profile's name, or a key's id. */
  readonly what: string;
  readonly wait: boolean;
  /** Longest wait for the key's death. */
  readonly timeout: string;
  readonly account?: string;
}

/** `keyaudit revoke`: narrow, expire, and watch until the key is dead. */
export async function revoke(options: RevokeOptions, context: CommandContext): Promise<ExitCode> {
  const timeoutMs = parseDuration(options.timeout);
  const records = await recordsFor(options.what, context);
  const target = await openTarget(context);
  try {
    const ended: { readonly record: KeyRecord | undefined; readonly retirement: Retirement }[] = [];
    for (const { id, record } of records) {
      const account = accountOf({
        ...(record?.account === undefined ? {} : { account: record.account }),
        ...accountOf(options),
      });
      const api = openEndingApi(target, account);
      const secret = record === undefined ? undefined : await secretOf(record, context);
      const work = await beginWork(
        context.cwd,
        {
          id: randomUUID(),
          command: 'revoke',
          target: context.globals.target,
          ...(context.globals.apiBase === undefined ? {} : { apiBase: target.apiBase }),
          ...account,
          mode: record?.mode ?? target.secretKey().mode ?? 'test',
          profile: record?.profile ?? id,
          step: 'retiring',
          retire: id,
        },
        context.now(),
      );
      const spinner = await startSpinner(context, `Revoking ${id}`);
      const retirement = await retireKey(
        {
          id,
          permissions: record?.permissions ?? [],
          ...(secret === undefined ? {} : { secret }),
          watchUntil: options.wait ? 'dead' : 'not-at-all',
          timeoutMs,
          onProgress: spinner.update,
        },
        api,
        target,
        context,
      ).finally(spinner.stop);
      await forgetSecret(id, context);
      await work.end();
      ended.push({ record, retirement });
    }
    await printResult(context, {
      json: {
        schema: 'keyaudit.revoke/1',
        target: context.globals.target,
        targetNote: target.note,
        keys: ended.map(({ record, retirement }) => ({ profile: record?.profile ?? null, ...retirement })),
      },
      table: (output) => {
        const paint = paintFor(output);
        output.write(paint.dim(wrap(target.note, output)));
        for (const { record, retirement } of ended) {
          const name = record === undefined ? '' : `${record.profile} `;
          output.write(wrap(`${name}${retirement.id} ${describe(retirement)}`, output, { indent: '  ' }));
        }
      },
    });
    const unsure = ended.some(
      ({ retirement: { unwatched } }) => unwatched === 'timeout' || unwatched === 'interrupted',
    );
    return unsure ? EXIT.undetermined : EXIT.ok;
  } finally {
    await target.close();
  }
}

/** How a key ended, in words. */
export function describe({ alreadyGone, narrowedMs, deadMs, unwatched }: Retirement): string {
  if (alreadyGone) return 'was gone already.';
  const narrowed = narrowedMs === undefined ? '' : `could do nothing after ${seconds(narrowedMs)}`;
  if (deadMs !== undefined) return `${narrowed} and was dead after ${seconds(deadMs)}.`;
  const so = narrowed === '' ? '' : ` It ${narrowed}.`;
  switch (unwatched) {
    case 'timeout':
      return `is narrowed and expired at Stripe, but still answered when the time was up.${so} Look again with "keyaudit verify".`;
    case 'interrupted':
      return `is narrowed and expired at Stripe; the watch was interrupted before it was seen dead.${so}`;
    case 'no-secret':
      return 'is narrowed and expired at Stripe. Its secret is not at hand, so no probe could see it dead.';
    default:
      return `is narrowed and expired at Stripe; it may work for seconds to minutes more.${so}`;
  }
}

/** The secret of a key made here, if its variable or the place of its record still holds it. */
async function secretOf(record: KeyRecord, context: CommandContext): Promise<SecretKey | undefined> {
  const given = context.env[record.variable]?.trim();
  const store = openPlace(record.place, { cwd: context.cwd, reveal: undefined, log: () => {} });
  const candidates = [
    given === undefined || given === '' ? undefined : SecretKey.of(given),
    await store?.get?.(record.variable),
  ];
  return candidates.find((key) => key !== undefined && fingerprintOf(key) === record.fingerprint);
}

async function recordsFor(
  what: string,
  context: CommandContext,
): Promise<readonly { readonly id: string; readonly record: KeyRecord | undefined }[]> {
  if (/^(?:sk|rk|pk|whsec)_/.test(what)) {
    throw new KeyauditError('USAGE', 'Never give a key itself as an argument.', {
      hint: 'Name the profile, or the id of the key (mk_…); "keyaudit keys list" shows them. Arguments are seen by everybody on this machine, so change that key.',
    });
  }
  const all = await readKeyRecords(context.cwd);
  const byId = all.find((record) => record.id === what);
  if (byId?.keyApi === 'dashboard') throw byHandOnly(byId);
  if (byId !== undefined) return [{ id: what, record: byId }];
  if (/^mk_/.test(what)) return [{ id: what, record: undefined }];
  const { target } = context.globals;
  const own = all.filter((record) => record.profile === what && record.target === target);
  const alive = own.filter((record) => record.status !== 'revoked');
  const dashboard = alive.find((record) => record.keyApi === 'dashboard');
  if (dashboard !== undefined) throw byHandOnly(dashboard);
  if (alive.length > 0) return alive.map((record) => ({ id: record.id, record }));
  // Gone already counts as revoked.
  if (own.length > 0) return own.slice(-1).map((record) => ({ id: record.id, record }));
  const names = [...new Set(all.map((record) => record.profile))];
  throw new KeyauditError('KEY_UNKNOWN', `No key of "${what}" was made here for the target ${target}.`, {
    hint: didYouMean(what, names) ?? '"keyaudit keys list" shows the keys that were made here.',
  });
}

function byHandOnly({ id, profile }: KeyRecord): KeyauditError {
  return new KeyauditError(
    'KEY_BY_HAND',
    `The key ${id} of ${profile} was made in the Dashboard and has no id that a program could end.`,
    {
      hint: 'Delete it at https://dashboard.stripe.com/apikeys.',
    },
  );
}

import { KeyauditError } from '../core/error.ts';
import type { Witness } from '../core/probe/witness.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { type KeyRecordWitness, type RecordUnread, UNREAD_TEXT } from '../core/verdict/record.ts';
import type { OpenSession } from '../session/session.ts';
import { fingerprintOf, type KeyRecord } from '../store/notes/key-records.ts';
import type { KeyApi, KeySummary } from '../stripe/key-apis/key-api.ts';
import { createManagedKeyApi } from '../stripe/key-apis/managed-key-api.ts';

/** A key whose record is to be read, with what is remembered of it here. */
export interface RecordedKey {
  readonly key: SecretKey;
  readonly remembered: Pick<KeyRecord, 'id' | 'account'> | undefined;
}

/**
 * Reads Stripe's own records of keys: by the id that is remembered here, else, in test mode, where lists show secrets,
 * by the fingerprint. A list is read once for all keys of a run. Never throws: what could not be read has its reason.
 */
export class KeyRecordReader {
  readonly #session: Pick<OpenSession, 'target' | 'globals'>;
  readonly #witness: Witness;
  readonly #lists = new Map<string | undefined, Promise<readonly KeySummary[]>>();

  constructor(session: Pick<OpenSession, 'target' | 'globals'>, witness: Witness) {
    this.#session = session;
    this.#witness = witness;
  }

  async read({ key, remembered }: RecordedKey): Promise<KeyRecordWitness> {
    if (this.#witness === 'probes') return unread('not-asked');
    const secretKey = this.#secretKey();
    if (typeof secretKey === 'string') return unread(secretKey);
    // It reads for the account alone that a call names.
    if (secretKey.isOfOrganisation && remembered?.account === undefined) return unread('no-secret-key');
    if (secretKey.mode !== undefined && key.mode !== undefined && secretKey.mode !== key.mode)
      return unread('other-mode');
    try {
      const found = await this.#find(key, secretKey, remembered);
      return typeof found === 'string' ? unread(found) : witnessOf(found);
    } catch (error) {
      if (!(error instanceof KeyauditError)) throw error;
      return unread(reasonOf(error), error.message);
    }
  }

  async #find(
    key: SecretKey,
    secretKey: SecretKey,
    remembered: RecordedKey['remembered'],
  ): Promise<KeySummary | RecordUnread> {
    const fingerprint = fingerprintOf(key);
    const api = this.#api(secretKey, remembered?.account);
    if (remembered?.id.startsWith('mk_') === true) {
      const found = await api.retrieve(remembered.id);
      if (found !== undefined)
        return (found.fingerprint ?? fingerprint) === fingerprint ? found : 'another-key';
    }
    if (key.mode !== 'test') return remembered === undefined ? 'id-unknown' : 'not-found';
    return (
      (await this.#list(api, remembered?.account)).find((one) => one.fingerprint === fingerprint) ??
      'not-found'
    );
  }

  #list(api: KeyApi, account: string | undefined): Promise<readonly KeySummary[]> {
    const known = this.#lists.get(account);
    if (known !== undefined) return known;
    const list = (async () => {
      const keys: KeySummary[] = [];
      for await (const key of api.list()) keys.push(key);
      return keys;
    })();
    this.#lists.set(account, list);
    return list;
  }

  #api(secretKey: SecretKey, account: string | undefined): KeyApi {
    const { apiBase } = this.#session.target;
    return createManagedKeyApi({ secretKey, apiBase, context: account, fingerprintOf });
  }

  /** Unasked the secret key goes to the target itself, or to a server on this machine. */
  #secretKey(): SecretKey | RecordUnread {
    const { target, globals } = this.#session;
    const isElsewhere = globals.apiBase !== undefined && !isOnThisMachine(globals.apiBase);
    if (this.#witness === 'auto' && isElsewhere) return 'other-server';
    try {
      return target.secretKey();
    } catch (error) {
      if (error instanceof KeyauditError && error.code === 'SECRET_KEY_MISSING') return 'no-secret-key';
      if (error instanceof KeyauditError && this.#witness === 'auto') return 'no-secret-key';
      throw error;
    }
  }
}

function isOnThisMachine(apiBase: string): boolean {
  return (
    URL.canParse(apiBase) && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(new URL(apiBase).hostname)
  );
}

function witnessOf({ id, permissions, connectPermissions, status, expiresAt }: KeySummary): KeyRecordWitness {
  return {
    read: true,
    id,
    permissions,
    connectPermissions,
    status,
    expiresAt: expiresAt?.toISOString(),
  };
}

function unread(reason: RecordUnread, detail?: string): KeyRecordWitness {
  const message = detail === undefined ? UNREAD_TEXT[reason] : `${UNREAD_TEXT[reason]} ${detail}`;
  return { read: false, reason, message };
}

function reasonOf({ code }: KeyauditError): RecordUnread {
  if (code === 'KEY_API_UNAVAILABLE') return 'no-key-api';
  return code === 'SECRET_KEY_REFUSED' ? 'refused' : 'unreadable';
}

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SecretKey } from '../core/secret-key.ts';
import { Redactor } from './redactor.ts';

// Plainly fake, made here so that no file holds anything that looks like a key.
const text = `rk_test_${'plainlyFake'.repeat(3)}+/`;
const redactor = new Redactor();
const { redact } = redactor;
SecretKey.onCreate(redactor.take);
const secret = SecretKey.of(text);

describe('redact', () => {
  const forms: readonly [string, string][] = [
    ['raw', text],
    ['base64', Buffer.from(text).toString('base64')],
    ['base64 without padding', Buffer.from(text).toString('base64').replace(/=+$/, '')],
    ['base64url', Buffer.from(text).toString('base64url')],
    ['URL-encoded', encodeURIComponent(text)],
  ];
  it.each(forms)('takes out the secret, %s', (_name, form) => {
    expect(redact(`before ${form} after ${form}`)).toBe('before [redacted] after [redacted]');
  });

  it('takes out what reads like a key, though no key was ever made of it', () => {
    expect(redact(`no profile "sk_live_${'neverSeen'}00"`)).toBe('no profile "sk_live_[redacted]"');
  });

  it('leaves other text alone', () => {
    expect(redact('rk_test_ is a prefix')).toBe('rk_test_ is a prefix');
  });
});

describe('redact, with many secrets that begin alike', () => {
  const many = Array.from(
    { length: 300 },
    (_, index) => `rk_test_${String(index).padStart(4, '0')}${'x'.repeat(40)}`,
  );
  const others = ['short-one', 'short-one-and-more', 'short-one-and-more-of-it', '12345678'];
  const full = new Redactor();
  for (const one of [...many, ...others]) full.take(one);

  it('takes each out, whole, cut off at its end, one in another, and side by side', () => {
    for (const one of many) {
      expect(full.redact(`a ${one} b ${one.slice(0, 20)}`)).toBe('a [redacted] b [redacted]');
    }
    expect(full.redact(many.join(' '))).toBe(many.map(() => '[redacted]').join(' '));
    expect(full.redact(many.join(''))).toBe('[redacted]');
    for (const one of others) expect(full.redact(`a ${one} b`)).toBe('a [redacted] b');
    expect(full.redact('short-on 1234567')).toBe('short-on 1234567');
  });
});

describe('its writer', () => {
  const written = (pieces: readonly string[]) => {
    const out: string[] = [];
    const writer = redactor.writer((piece) => out.push(piece));
    for (const piece of pieces) writer.write(piece);
    writer.flush();
    return out.join('');
  };

  it('finds a secret wherever it is cut', () => {
    for (let cut = 1; cut < text.length; cut++) {
      expect(written([`key ${text.slice(0, cut)}`, `${text.slice(cut)} end`])).toBe('key [redacted] end');
    }
    expect(written([...`key ${text} end`])).toBe('key [redacted] end');
  });

  it('holds nothing back for good', () => {
    expect(written(['key rk_te', 'xt'])).toBe('key rk_text');
    expect(written(['key rk_te'])).toBe('key rk_te');
  });
});

describe('SecretKey', () => {
  it('prints redacted everywhere', () => {
    const shown = [
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }),
      String(secret),
      secret.toString(),
    ];
    for (const one of shown) {
      expect(one).toContain('rk_test_[redacted]');
      expect(one).not.toContain('plainlyFake');
    }
  });
});

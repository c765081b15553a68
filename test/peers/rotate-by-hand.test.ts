import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPeer, PEERS } from '../support/peer.ts';
import { openPseudoTerminal, type PseudoTerminal } from '../support/pseudo-terminal.ts';
import { KEYAUDIT } from '../support/run-cli.ts';
import { type Scene, scene } from '../support/scene.ts';

const python = await findPeer(['python', 'python3'], 'guided rotations on a terminal', [
  join(PEERS, 'python/bin'),
  ...(process.env.PATH ?? '').split(delimiter),
]);

const ANALYTICS = ['balance_read', 'charge_read', 'customer_read', 'invoice_read', 'subscription_read'];
const PASTE = /Paste the key for analytics \(not shown\): /;
const VARIABLE = 'STRIPE_ANALYTICS_KEY';

/** A folder whose key of `analytics` was made in the Dashboard. */
async function byHand(): Promise<Scene & { readonly old: { id: string; token: string } }> {
  const here = await scene();
  const old = await here.sandbox.makeKey(ANALYTICS);
  const made = await here.run(['provision', 'analytics', '--key-api', 'dashboard'], {
    input: `${old.token}\n`,
    env: { STRIPE_SECRET_KEY: '' },
  });
  expect(made).toMatchObject({ exitCode: 0 });
  return { ...here, old };
}

/** Lines that a terminal has wrapped are one. */
const flat = (text: string) => text.replace(/\s+/g, ' ');

function rotate({ cwd, sandbox }: Scene, command?: readonly string[]): PseudoTerminal {
  const words = ['rotate', 'analytics', '--target', 'sandbox', '--api-base', sandbox.url];
  return openPseudoTerminal(command ?? [process.execPath, KEYAUDIT, ...words], {
    python: python.file,
    cwd,
    env: { NO_COLOR: '1' },
  });
}

describe.skipIf(python.missing)('rotate of a Dashboard key on a terminal', () => {
  it('asks again after wrong pastes, publishes what was verified, and watches the old key end', async () => {
    const here = await byHand();
    const { sandbox, old, stored, statusOf } = here;
    const fresh = await sandbox.makeKey(ANALYTICS);
    const terminal = rotate(here);
    await terminal.until(/dashboard\.stripe\.com\/test\/apikeys\/create\?name=analytics%20\d{4}/);
    await terminal.until(PASTE);
    terminal.type(`"${fresh.token}"\r`);
    await terminal.until(/quotes around the key/);
    await terminal.until(PASTE);
    terminal.type(`${old.token}\r`);
    await terminal.until(/the old key/);
    await terminal.until(/one\s+more\s+try/);
    await terminal.until(PASTE);
    terminal.type(`${fresh.token}\r`);
    await terminal.until(/Delete the key "analytics"/);
    expect(await stored(VARIABLE)).toBe(fresh.token);
    expect(await statusOf(old.token)).toBe(200);
    await terminal.until(/still works after/);
    await sandbox.expireKey(old.id);
    expect(await terminal.ended()).toBe(0);
    const shown = flat(terminal.shown());
    expect(shown).toMatch(/New key dashboard:\w+, .* as the profile says/);
    expect(shown).toMatch(/Old key dashboard:\w+ was deleted by hand: dead after/);
    for (const secret of [fresh.token, old.token])
      expect(terminal.shown()).not.toContain(secret.slice(8, 24));
    expect((await here.run(['keys', 'list', '--format', 'json'])).stdout).toMatch(/"revoked"[\s\S]*"active"/);
  });

  it('gives up after three wrong pastes, with nothing changed', async () => {
    const here = await byHand();
    const terminal = rotate(here);
    for (const wrong of ['', 'pk_test_plainlyPublishable', 'rk_test_neverMade0000000000']) {
      await terminal.until(PASTE);
      terminal.type(`${wrong}\r`);
    }
    expect(await terminal.ended()).not.toBe(0);
    const shown = flat(terminal.shown());
    expect(shown).toContain('No key was given');
    expect(shown).toContain('publishable');
    expect(shown).not.toContain('neverMade');
    expect(await here.stored(VARIABLE)).toBe(here.old.token);
    expect(await here.statusOf(here.old.token)).toBe(200);
  });

  it('refuses a key that can do more: exit 1, the old one untouched', async () => {
    const here = await byHand();
    const wide = await here.sandbox.makeKey([...ANALYTICS, 'payout_write']);
    const terminal = rotate(here);
    await terminal.until(PASTE);
    terminal.type(`${wide.token}\r`);
    expect(await terminal.ended()).toBe(1);
    expect(flat(terminal.shown())).toMatch(/Correct its rows in the Dashboard .* is untouched/);
    expect(await here.stored(VARIABLE)).toBe(here.old.token);
  });

  it.each([
    ['at the prompt', PASTE, false],
    ['while the old key is watched', /still works after/, true],
  ])('Ctrl-C %s says interrupted, exit 3', async (_where, moment, isPublished) => {
    const here = await byHand();
    const fresh = await here.sandbox.makeKey(ANALYTICS);
    const terminal = rotate(here);
    if (isPublished) {
      await terminal.until(PASTE);
      terminal.type(`${fresh.token}\r`);
    }
    await terminal.until(moment);
    terminal.type('\u0003');
    expect(await terminal.ended()).toBe(3);
    expect(flat(terminal.shown())).toMatch(
      isPublished ? /watch was interrupted while it still answered/ : /Interrupted \(SIGINT\).*works on/,
    );
    expect(await here.stored(VARIABLE)).toBe(isPublished ? fresh.token : here.old.token);
    expect(await readFile(join(here.cwd, '.keyaudit/journal.json'), 'utf8').catch(() => '')).toBe('');
    expect((await here.run(['verify', 'analytics'])).exitCode).toBe(0);
  });

  it('keeps pasted lines from the screen and from the history of the shell behind', async () => {
    const here = await byHand();
    const fresh = await here.sandbox.makeKey(ANALYTICS);
    await mkdir(join(here.cwd, 'bin'));
    await writeFile(
      join(here.cwd, 'bin/rotate'),
      `#!/bin/sh\nexec ${process.execPath} ${KEYAUDIT} rotate analytics --target sandbox --api-base ${here.sandbox.url}\n`,
      { mode: 0o755 },
    );
    const shell = rotate(here, ['bash', '--norc', '--noprofile', '-i']);
    await shell.until(/[$#] /);
    shell.type(`HISTFILE=${here.cwd}/history PS1='ready> '\r`);
    await shell.until(/ready> $/);
    shell.type('bin/rotate\r');
    await shell.until(PASTE);
    const half = fresh.token.slice(0, 20);
    const rest = fresh.token.slice(20);
    shell.type(`${half}\r${rest}\recho pasted-too\r`);
    await shell.until(/line breaks/);
    await shell.until(PASTE);
    // What comes while it works, and when nobody asks, goes nowhere either.
    shell.type(`${fresh.token}\r${fresh.token}\r`);
    await shell.until(/line breaks/);
    await shell.until(PASTE);
    shell.type(`${fresh.token}\r`);
    await shell.until(/still works after/);
    shell.type(`${fresh.token}\r`);
    await here.sandbox.expireKey(here.old.id);
    await shell.until(/ready> $/);
    shell.type('history -w; exit\r');
    await shell.ended();
    const history = await readFile(join(here.cwd, 'history'), 'utf8');
    expect(history).toContain('bin/rotate');
    for (const text of [history, shell.shown()]) {
      expect(text).not.toContain(half);
      expect(text).not.toContain(rest);
      expect(text).not.toContain('pasted-too');
    }
  });
});

import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { HintRow } from './hint-row.ts';
import { BASE, type HintScene } from './hint-scene.ts';

const CAPPED = `${BASE}guard: { caps: [{ per: run, amount: 5.00 usd }] }\n`;

const REFUNDS = `name: mine
permissions: { charges: read, refunds: write }
accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]
guard: { caps: [{ per: run, amount: 50.00 usd }] }
`;

async function posted(url: string, key: string, body: string): Promise<{ id: string }> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(url, { method: 'POST', headers, body });
  return (await response.json()) as { id: string };
}

/** A guard of `mine` that runs. */
async function guarded(here: HintScene) {
  await here.write('profiles/mine.yaml', CAPPED);
  await here.cli('provision mine');
  return here.start('guard mine --listen 127.0.0.1:0', /Stop it with Ctrl-C/);
}

const afterwards = (of: HintRow['of'], what: string, line: string, prints: RegExp): HintRow => ({
  of,
  what,
  state: async (here) => {
    await guarded(here);
    return here.cli(line);
  },
  prints,
  says: /mine \(test\)/,
  where: 'here',
});

/** Hints of the guard; it runs in a process of its own. */
export const GUARD_ROWS: readonly HintRow[] = [
  {
    of: [['commands/guard.ts', /A run key/]],
    what: 'a guard that has started',
    state: guarded,
    prints: /A run key: (keyaudit guard issue mine)/,
    says: /STRIPE_MINE_KEY/,
    where: 'both',
  },
  {
    of: [['session/guard/guard-client.ts', /Start one/]],
    what: 'no guard runs',
    state: async (here) => {
      await here.write('profiles/mine.yaml', CAPPED);
      await here.cli('provision mine');
      return here.cli('guard status');
    },
    prints: /Start one with "(keyaudit guard PROFILE[^"]*)"/,
    as: { PROFILE: 'mine' },
    plus: '--listen 127.0.0.1:0',
    starts: /Guard at http/,
    where: 'both',
  },
  afterwards(
    [['commands/guard-runs.ts', /guard status/]],
    'a kill of nothing',
    'guard kill',
    /"(keyaudit guard status)" shows the runs/,
  ),
  afterwards(
    [['guard/admin/admin-server.ts', /guard status/]],
    'a kill of what is not there',
    'guard kill qqqqq',
    /"(keyaudit guard status[^"]*)" shows them/,
  ),
  afterwards(
    [['guard/admin/control.ts', /then resume with its epoch/]],
    'a resumption that comes late',
    'guard resume mine --epoch 7',
    /Look at "(keyaudit guard status[^"]*)" again/,
  ),
  afterwards(
    [['guard/admin/control.ts', /shows what is/]],
    'a resumption of what goes on',
    'guard resume mine --epoch 0',
    /"(keyaudit guard status[^"]*)" shows what is/,
  ),
  {
    of: [['report/guard/control.ts', /guard reconcile/]],
    what: 'a call of which nobody knows what became',
    state: async (here) => {
      const { sandbox } = here;
      if (sandbox === undefined) throw new Error('no server');
      await here.write('profiles/mine.yaml', REFUNDS);
      await here.cli('provision mine');
      const { said } = await here.start('guard mine --listen 127.0.0.1:0', /Stop it with Ctrl-C/);
      const url = /"url": ?"([^"]+)"/.exec(said)?.[1] ?? '';
      await here.cli('guard issue mine --store env-file:.env.run');
      const run = await readFile(join(here.cwd, '.env.run'), 'utf8');
      const key = /^STRIPE_MINE_KEY=(.*)$/m.exec(run)?.[1] ?? '';
      const charge = await posted(
        `${sandbox.url}/v1/charges`,
        sandbox.shownSecretKey,
        'amount=400&currency=usd&source=tok_visa',
      );
      // The charge is looked up first; the answer to the refund itself stops half-way.
      const before = [...sandbox.requests().values()].reduce((sum, count) => sum + count, 0);
      sandbox.behaviour.truncateEvery = before + 2;
      await posted(`${url}/v1/refunds`, key, `charge=${charge.id}&amount=100`).catch(() => undefined);
      sandbox.behaviour.truncateEvery = undefined;
      return here.cli('guard status');
    },
    prints: /"(keyaudit guard reconcile[^"]*)" finds out/,
    after: async (here) => {
      expect((await here.cli('guard status')).said).not.toContain('held:');
    },
    where: 'elsewhere',
  },
  {
    of: [['commands/guard-doctor.ts', /keyaudit lock/]],
    what: 'a profile that nobody locked',
    state: async (here) => {
      await here.write('profiles/mine.yaml', CAPPED);
      await here.cli('provision mine');
      return here.cli('guard doctor mine');
    },
    prints: /"(keyaudit lock mine[^"]*)" verifies its key/,
    after: async (here) => {
      expect((await here.cli('guard doctor mine')).said).toContain('its key was verified and locked');
    },
    where: 'both',
  },
  {
    of: [['store/guard-log/guard-log.ts', /guard log accept/]],
    what: 'a guard whose log somebody changed',
    state: async (here) => {
      await guarded(here);
      await here.cli('guard issue mine');
      await here.stop();
      const folder = join(here.cwd, '.keyaudit/guard');
      const [log = ''] = (await readdir(folder, { recursive: true })).filter((file) =>
        file.endsWith('.jsonl'),
      );
      const text = await readFile(join(folder, log), 'utf8');
      await writeFile(join(folder, log), text.replace('"run_', '"ruin_'));
      return here.cli('guard mine --listen 127.0.0.1:0');
    },
    prints: /"(keyaudit guard log accept [^"]+)"/,
    as: { TEXT: "'changed by a test'" },
    after: async (here) => {
      await guarded(here);
    },
    where: 'here',
  },
  {
    of: [['store/guard-log/follow-guard-log.ts', /guard log verify/]],
    what: 'a log that somebody changed',
    state: async (here) => {
      await guarded(here);
      await here.cli('guard issue mine');
      const folder = join(here.cwd, '.keyaudit/guard');
      const [log = ''] = (await readdir(folder, { recursive: true })).filter((file) =>
        file.endsWith('.jsonl'),
      );
      await appendFile(join(folder, log), '{"seq":99}\n');
      await writeFile(join(here.cwd, 'seen'), log);
      return here.cli('guard log');
    },
    prints: /"(keyaudit guard log verify)" checks all of it/,
    exitCode: 1,
    where: 'here',
  },
];

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { KeyStore } from '../src/sandbox/keys/key-store.ts';
import { inTemporaryFolder, type Measurement, median, medianRatio, timed } from './measure.ts';
import { type Server, startServer } from './server.ts';

/** How the sandbox starts, and what many keys cost it. */
export async function benchSandbox(): Promise<Measurement[]> {
  return [...(await manyKeys()), ...(await startUp())];
}

const MANY = 10_000;

/** A `.keyaudit/sandbox.json` with so many keys, in a folder of its own. */
async function withKeys<T>(count: number, work: (dir: string) => Promise<T>): Promise<T> {
  return inTemporaryFolder(async (dir) => {
    await mkdir(join(dir, '.keyaudit'), { recursive: true, mode: 0o700 });
    const keys = Array.from({ length: count }, (_, index) => ({
      id: `mk_1${String(index).padStart(23, '0')}`,
      name: `key ${index}`,
      note: null,
      permissions: ['charge_read', 'customer_read'],
      connectPermissions: [],
      livemode: false,
      madeBy: 'managed',
      createdAt: 0,
      expiresAt: null,
      expiredAt: null,
      deadAt: null,
      before: null,
    }));
    const state = { version: 1, seed: Buffer.alloc(32, 7).toString('base64'), keys };
    await writeFile(join(dir, '.keyaudit/sandbox.json'), JSON.stringify(state), { mode: 0o600 });
    return work(dir);
  });
}

async function lookUpMs(store: KeyStore, tokens: readonly string[]): Promise<number> {
  return timed(async () => {
    for (let index = 0; index < LOOK_UPS; index++) {
      const caller = store.authenticate(tokens[(index * 7919) % tokens.length] ?? '');
      if (typeof caller !== 'object') throw new Error('a key was not found');
    }
  });
}

const LOOK_UPS = 20_000;

async function manyKeys(): Promise<Measurement[]> {
  return withKeys(10, (few) =>
    withKeys(MANY, async (many) => {
      const sides = [];
      for (const dir of [few, many]) {
        const store = await KeyStore.open(dir, Date.now);
        const tokens = store.all().map((key) => store.tokenOf(key));
        sides.push({ store, tokens, found: [] as number[] });
      }
      for (let round = 0; round < 15; round++) {
        for (const { store, tokens, found } of sides) found.push(await lookUpMs(store, tokens));
      }
      const [ofFew = 0, ofMany = 0] = sides.map(({ found }) => median(found) / LOOK_UPS);
      return [
        {
          what: `look-up of a key among ${MANY}, beside one among 10`,
          // 10,000 keys do not fit the processor's nearest cache; a search through all of them would be a
          // thousand times as long.
          value: ofMany / ofFew,
          unit: '×',
          bound: { atMost: 10 },
          note: `${(ofMany * 1000).toFixed(1)} µs beside ${(ofFew * 1000).toFixed(1)} µs`,
        },
      ];
    }),
  );
}

const STARTS = 11;

/** Until it listens, beside `node -e 0`, in turns, so that all see the same noise. */
async function startUp(): Promise<Measurement[]> {
  return inTemporaryFolder((empty) =>
    withKeys(MANY, async (full) => {
      const bare: number[] = [];
      const ofEmpty: number[] = [];
      const ofFull: number[] = [];
      const memory: number[] = [];
      const bareMemory: number[] = [];
      for (let round = 0; round < STARTS; round++) {
        bare.push(await timed(() => execa(process.execPath, ['-e', '0'])));
        const started = await start(empty);
        ofEmpty.push(started.ms);
        memory.push(started.mebibytes);
        ofFull.push((await start(full)).ms);
        bareMemory.push(await bareMebibytes());
      }
      const beside = (times: readonly number[]) => ({
        value: medianRatio(times, bare),
        unit: '×',
        note: `${median(times).toFixed(0)} ms beside ${median(bare).toFixed(0)} ms`,
      });
      return [
        {
          what: 'keyaudit sandbox until it listens, beside node -e 0',
          ...beside(ofEmpty),
          bound: { atMost: 3.5 },
        },
        {
          what: 'memory of keyaudit sandbox when it listens, beside node -e 0',
          value: medianRatio(memory, bareMemory),
          unit: '×',
          bound: { atMost: 1.7 },
          note: `${median(memory).toFixed(0)} MiB beside ${median(bareMemory).toFixed(0)} MiB`,
        },
        { what: `the same with ${MANY} keys in .keyaudit`, ...beside(ofFull), bound: { atMost: 5 } },
      ];
    }),
  );
}

async function start(dir: string): Promise<{ readonly ms: number; readonly mebibytes: number }> {
  let server: Server | undefined;
  const ms = await timed(async () => {
    server = await startServer(dir, []);
  });
  const mebibytes = (await server?.residentSet()) ?? Number.NaN;
  await server?.stop();
  return { ms, mebibytes };
}

async function bareMebibytes(): Promise<number> {
  const { stdout } = await execa(process.execPath, ['-e', 'console.log(process.memoryUsage.rss())']);
  return Number(stdout) / 2 ** 20;
}

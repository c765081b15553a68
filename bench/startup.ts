import { execa } from 'execa';
import { KEYAUDIT, type Measurement, median, medianRatio, timed } from './measure.ts';

const ROUNDS = 15;

/** `keyaudit --help` beside `node -e 0`, in turns, so that both see the same noise. */
export async function benchStartup(): Promise<Measurement[]> {
  const help: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await timed(() => execa(process.execPath, ['-e', '0'])));
    help.push(await timed(() => execa(process.execPath, [KEYAUDIT, '--help'])));
  }
  return [
    {
      what: 'keyaudit --help, beside node -e 0',
      value: medianRatio(help, bare),
      unit: '×',
      bound: { atMost: 1.5 },
      note: `${median(help).toFixed(0)} ms beside ${median(bare).toFixed(0)} ms`,
    },
  ];
}

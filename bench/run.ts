import { benchLint } from './lint.ts';
import { LeftOut, type Measurement } from './measure.ts';
import { benchObjects } from './objects.ts';
import { benchPeers } from './peers.ts';
import { benchProbes } from './probes.ts';
import { benchRecord } from './record.ts';
import { benchRecording } from './recording.ts';
import { benchReports } from './reports.ts';
import { benchSandbox } from './sandbox.ts';
import { benchStartup } from './startup.ts';

// npm run bench [PART…]: each line is a median of one run on this machine, beside the bound that the
// project sets itself. Exit code 1 when a bound is missed; a part that cannot be measured here is left out, and named.
const parts: Record<string, () => Promise<Measurement[]>> = {
  startup: benchStartup,
  lint: benchLint,
  probes: benchProbes,
  record: benchRecord,
  reports: benchReports,
  recording: benchRecording,
  sandbox: benchSandbox,
  objects: benchObjects,
  peers: benchPeers,
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => parts[name] === undefined);
if (unknown !== undefined)
  throw new Error(`no part "${unknown}"; there are ${Object.keys(parts).join(', ')}`);

let missed = 0;
for (const name of wanted.length > 0 ? wanted : Object.keys(parts)) {
  const measured = await parts[name]?.().catch((error: unknown) => {
    if (!(error instanceof LeftOut)) throw error;
    console.log(`LEFT OUT ${error.message}`);
    return [];
  });
  for (const { what, value, unit, bound, note } of measured ?? []) {
    const holds = 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast;
    if (!holds) missed++;
    const limit = 'atMost' in bound ? `at most ${bound.atMost}` : `at least ${bound.atLeast}`;
    const digits = value < 100 ? 2 : 0;
    console.log(`${holds ? 'ok  ' : 'MISS'} ${what}: ${value.toFixed(digits)} ${unit} (${limit}; ${note})`);
  }
}
process.exitCode = missed > 0 ? 1 : 0;

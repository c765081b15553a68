import type { VerifyReport } from '../src/core/result/verify-report.ts';
import { loadRenderer, VERIFY_FORMATS } from '../src/report/verify/formats.ts';
import { largeReport } from '../test/support/verify-report-factory.ts';
import { type Measurement, median } from './measure.ts';

const OPERATIONS = 650;
const ROUNDS = 5;

/** Every format for 200 profiles × 650 operations, and for a tenth of them to see how time grows. */
export async function benchReports(): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  const small = largeReport(20, OPERATIONS);
  const large = largeReport(200, OPERATIONS);
  const plain = plainTime(large);
  for (const format of VERIFY_FORMATS) {
    const few = await renderTime(format, small);
    const many = await renderTime(format, large);
    measurements.push({
      what: `${format} report of 200 × ${OPERATIONS} probes, beside 20 × ${OPERATIONS}`,
      value: many.ms / few.ms,
      unit: '×',
      bound: { atMost: 20 },
      note: `${many.ms.toFixed(0)} ms for ${(many.bytes / 1024 / 1024).toFixed(1)} MiB, ten times the probes`,
    });
    measurements.push({
      what: `the same, beside JSON.stringify of the report`,
      value: many.ms / plain,
      unit: '×',
      bound: { atMost: 8 },
      note: `${many.ms.toFixed(0)} ms beside ${plain.toFixed(0)} ms`,
    });
    if (format === 'html') {
      measurements.push({
        what: `size of the html report of 200 × ${OPERATIONS} probes`,
        value: many.bytes / 1024 / 1024,
        unit: 'MiB',
        bound: { atMost: 5 },
        note: 'one file',
      });
    }
  }
  return measurements;
}

/** What no format can beat by much, in ms. */
function plainTime(report: VerifyReport): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    JSON.stringify(report);
    return performance.now() - start;
  });
  return median(times);
}

async function renderTime(
  format: (typeof VERIFY_FORMATS)[number],
  report: VerifyReport,
): Promise<{ ms: number; bytes: number }> {
  const render = await loadRenderer(format);
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    bytes = 0;
    const start = performance.now();
    const write = (text: string) => {
      bytes += Buffer.byteLength(text);
    };
    render(
      report,
      { write, columns: undefined, colour: false },
      { verbose: true, version: '0.0.0', sourcePrefix: '' },
    );
    times.push(performance.now() - start);
  }
  return { ms: median(times), bytes };
}

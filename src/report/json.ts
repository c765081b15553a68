import { exitCodeOf, type VerifyReport } from '../core/verify-report.ts';

/** `verify --format json`, schema `keyaudit.verify/1`. Every probe only with `--verbose`. */
export function renderVerifyJson(
  report: VerifyReport,
  { write }: { write(text: string): void },
  { verbose }: { verbose: boolean },
): void {
  const { target, apiBase, targetNote, catalog, apiVersion, depth } = report;
  const results = report.results.map(({ probes, ...result }) => (verbose ? { ...result, probes } : result));
  writeJson(
    {
      schema: 'keyaudit.verify/1',
      ok: exitCodeOf(report) === 0,
      target,
      apiBase,
      targetNote,
      catalog,
      apiVersion,
      depth,
      results,
    },
    write,
  );
}

/** One JSON document, indented, with a line break at its end. */
export function writeJson(value: unknown, write: (text: string) => void): void {
  write(`${JSON.stringify(value, null, 2)}\n`);
}

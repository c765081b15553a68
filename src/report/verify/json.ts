import { exitCodeOf, type VerifyReport } from '../../core/result/verify-report.ts';

/** `verify --format json`, schema `keyaudit.verify/1`. Every probe only with `--verbose`. */
export function renderVerifyJson(
  report: VerifyReport,
  { write }: { write(text: string): void },
  { verbose }: { verbose: boolean },
): void {
  const { target, apiBase, targetNote, catalog, apiVersion, depth, calibrated, comparisons, provenance } =
    report;
  const ok = exitCodeOf(report) === 0;
  const head = jsonText({
    schema: 'keyaudit.verify/1',
    ok,
    target,
    apiBase,
    targetNote,
    catalog,
    apiVersion,
    depth,
    calibrated,
    provenance,
    comparisons,
    results: [],
  });
  // One result at a time, since the probes of a whole fleet would make one string of many megabytes.
  write(head.slice(0, head.lastIndexOf('[') + 1));
  let separator = '';
  for (const { probes, permissionFindings, ...result } of report.results) {
    // Within a list of a map, so that it is indented as it will stand.
    const within = jsonText({ results: [verbose ? { ...result, probes } : result] });
    const pretty = within.slice(within.indexOf('[') + 1, within.lastIndexOf('\n    }'));
    // One line each: spread out they would take more room than all the rest.
    const lines = permissionFindings.map((finding) => `\n        ${jsonText(finding, 0)}`);
    write(`${separator}${pretty},\n      "permissionFindings": [${lines.join(',')}]\n    }`);
    separator = ',';
  }
  write(report.results.length > 0 ? '\n  ]\n}\n' : ']\n}\n');
}

/** One JSON document, indented, with a line break at its end. */
export function writeJson(value: unknown, write: (text: string) => void): void {
  write(`${jsonText(value)}\n`);
}

/**
 * JSON, indented, that may be printed anywhere: escaped beyond what JSON asks are the characters that a
 * terminal obeys, and `##[`, which GitHub's runner takes for a command wherever it stands in a line.
 */
export function jsonText(value: unknown, indent = 2): string {
  const text = JSON.stringify(value, null, indent);
  // Hardly any text has one of these, and to look for them once is half of what this costs.
  if (!UNFIT.test(text) && !text.includes('##[') && !text.includes('\\ud')) return text;
  return (
    text
      .replace(
        new RegExp(UNFIT, 'g'),
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
      .replaceAll('##[', '#\\u0023[')
      // Half of a surrogate pair, which JSON can spell and no encoding can hold; a backslash itself comes in pairs.
      .replace(/(\\\\)|\\ud[89a-f][0-9a-f]{2}/g, (_escape, backslash) => backslash ?? '\\ufffd')
  );
}

/** What JSON allows and a terminal obeys. */
const UNFIT = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

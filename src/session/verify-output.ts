import { join, relative, resolve } from 'node:path';
import { EXIT, KeyauditError } from '../core/error.ts';
import { exitCodeOf, type VerifyReport } from '../core/result/verify-report.ts';
import type { TextOutput } from '../report/text.ts';
import {
  loadRenderer,
  parseReportRequest,
  type ReportRequest,
  type VerifyFormat,
  type VerifyRenderer,
  verifyFormat,
} from '../report/verify/formats.ts';
import type { SourceRoots } from '../report/verify/source-path.ts';
import { appendToResultFile, requireWritable, writeResultFile } from '../store/result-file.ts';
import type { CommandContext } from './context.ts';

const STDOUT = '-';

type OwnRenderers = Partial<Record<VerifyFormat, VerifyRenderer>>;

/**
 * What `--format`, `--output` and every `--report` ask for, the main one first; checked before the
 * first probe is sent, so that a long run does not end without a report.
 * @throws KeyauditError for an unknown format, no file, a file named twice or one that cannot be written
 */
export async function parseReportRequests(
  reports: readonly string[],
  context: CommandContext,
): Promise<readonly ReportRequest[]> {
  const { format, output } = context.globals;
  const requests = [
    { format: verifyFormat(format), file: output ?? STDOUT },
    ...reports.map((text) => parseReportRequest(text)),
  ];
  const files = new Set<string>();
  for (const { file } of requests.filter((request) => request.file !== STDOUT)) {
    const path = resolve(context.cwd, file);
    if (files.has(path)) {
      throw new KeyauditError('USAGE', `Two reports would be written to ${file}.`, {
        hint: 'Give each its own file.',
      });
    }
    files.add(path);
    await requireWritable(context, file);
  }
  return requests;
}

/**
 * Renders a report in every format asked for. One that cannot be written does not keep back the
 * others; the first such error is thrown at the end.
 * @param also what is to be written besides
 * @param own formats that are rendered otherwise than for a key
 */
export async function printReports(
  report: VerifyReport,
  requests: readonly ReportRequest[],
  context: CommandContext,
  also: () => Promise<void> = async () => {},
  own: OwnRenderers = {},
): Promise<void> {
  const failures: unknown[] = [];
  for (const request of requests) {
    await printReport(report, request, context, own).catch((error: unknown) => failures.push(error));
  }
  await also().catch((error: unknown) => failures.push(error));
  const [failure] = failures;
  if (failure === undefined) return;
  if (!(failure instanceof KeyauditError)) throw failure;
  // What the key can do is said by the exit code all the same; a pass without its report is none.
  const exitCode = exitCodeOf(report);
  throw new KeyauditError(failure.code, failure.message, {
    hint: failure.hint,
    exitCode: exitCode === EXIT.ok ? EXIT.undetermined : exitCode,
    cause: failure,
  });
}

async function printReport(
  report: VerifyReport,
  { format, file }: ReportRequest,
  context: CommandContext,
  own: OwnRenderers,
): Promise<void> {
  const options = {
    verbose: context.globals.verbose,
    version: context.version,
    ...sourceRoots(context),
  };
  const render = own[format] ?? (await loadRenderer(format));
  if (file === STDOUT) render(report, context.stdout, options);
  else
    await writeResultFile(
      context,
      file,
      textOf((output) => render(report, output, options)),
    );
  const summary = context.env.GITHUB_STEP_SUMMARY;
  if (format === 'github' && summary !== undefined && summary !== '') {
    const renderSummary = await loadRenderer('markdown');
    const text = textOf((output) => renderSummary(report, output, { ...options, verbose: false }));
    await appendToResultFile(context, summary, `${text}\n`);
  }
}

function textOf(render: (output: TextOutput) => void): string {
  const chunks: string[] = [];
  render({ write: (text) => chunks.push(text), columns: undefined, colour: false });
  return chunks.join('');
}

/** CI reads files from the root of the checkout, keyaudit names them from the working folder. */
function sourceRoots({ cwd, env, packageRoot }: CommandContext): SourceRoots {
  const root = env.GITHUB_WORKSPACE || env.CI_PROJECT_DIR || undefined;
  const below = root === undefined ? '' : relative(root, cwd).replaceAll('\\', '/');
  const isOutside = below === '' || /^\.\.(\/|$)|^\/|^[A-Za-z]:/.test(below);
  return {
    sourcePrefix: isOutside ? '' : `${below}/`,
    sourceRoot: root,
    shippedFolder: join(packageRoot, 'profiles'),
  };
}

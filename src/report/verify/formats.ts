import { didYouMean } from '../../core/document/nearest.ts';
import { KeyauditError } from '../../core/error.ts';
import type { VerifyReport } from '../../core/result/verify-report.ts';
import type { TextOutput } from '../text.ts';
import type { SourceRoots } from './source-path.ts';

export interface RenderOptions extends SourceRoots {
  /** Every probe, in the formats that else leave out those as expected. */
  readonly verbose: boolean;
  /** Of keyaudit. */
  readonly version: string;
}

/** Report in, text out; nothing else is read or written. */
export type VerifyRenderer = (report: VerifyReport, output: TextOutput, options: RenderOptions) => void;

/** The formats of `verify`; each is loaded when it is asked for. */
const renderers = {
  table: async () => (await import('./table/table.ts')).renderVerifyTable,
  json: async () => (await import('./json.ts')).renderVerifyJson,
  junit: async () => (await import('./junit.ts')).renderVerifyJunit,
  sarif: async () => (await import('./sarif/sarif.ts')).renderVerifySarif,
  gitlab: async () => (await import('./gitlab.ts')).renderVerifyGitlab,
  github: async () => (await import('./github.ts')).renderVerifyGithub,
  markdown: async () => (await import('./markdown.ts')).renderVerifyMarkdown,
  html: async () => (await import('./html/html.ts')).renderVerifyHtml,
} satisfies Record<string, () => Promise<VerifyRenderer>>;

export type VerifyFormat = keyof typeof renderers;
export const VERIFY_FORMATS = Object.keys(renderers) as readonly VerifyFormat[];

export function loadRenderer(format: VerifyFormat): Promise<VerifyRenderer> {
  return renderers[format]();
}

/** @throws KeyauditError `FORMAT_UNKNOWN`, with the nearest format */
export function verifyFormat(text: string): VerifyFormat {
  const format = VERIFY_FORMATS.find((name) => name === text);
  if (format !== undefined) return format;
  throw new KeyauditError('FORMAT_UNKNOWN', `verify has no format "${text}".`, {
    hint: didYouMean(text, VERIFY_FORMATS) ?? `Valid: ${VERIFY_FORMATS.join(', ')}.`,
  });
}

/** One `--report FORMAT=FILE`. */
export interface ReportRequest {
  readonly format: VerifyFormat;
  /** `-`: standard output. */
  readonly file: string;
}

/** @throws KeyauditError `USAGE` without a file, `FORMAT_UNKNOWN` for no format of verify */
export function parseReportRequest(text: string): ReportRequest {
  const [, name = '', file = ''] = /^([^=]*)=?(.*)$/s.exec(text) ?? [];
  const format = verifyFormat(name);
  if (file !== '') return { format, file };
  throw new KeyauditError('USAGE', `--report "${text}" names no file.`, {
    hint: `Write --report ${format}=FILE; "-" is standard output.`,
  });
}

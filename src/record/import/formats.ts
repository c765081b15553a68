import { IMPORT_FORMATS, type ImportFormatName } from '../../core/draft/runs/import-format.ts';
import { har, otlp } from './documents.ts';
import { guardLog } from './guard-log.ts';
import type { ImportFormat } from './import-format.ts';
import { list, mcpTools } from './lists.ts';
import { accessLog, sdkLog, stripeLogs } from './logs.ts';

/** Every way in which calls to Stripe are written down that can be read here. */
export const importFormats: Readonly<Record<ImportFormatName, ImportFormat>> = {
  guard: guardLog,
  'stripe-logs': stripeLogs,
  'mcp-tools': mcpTools,
  har,
  otlp,
  'access-log': accessLog,
  'sdk-log': sdkLog,
  list,
};

/** The first format that recognises the text. */
export function formatOf(text: string): ImportFormatName | undefined {
  return IMPORT_FORMATS.find((name) => importFormats[name].recognises(text));
}

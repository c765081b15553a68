/** What calls to Stripe can be read from, in the order in which a file is tried. */
export const IMPORT_FORMATS = [
  'guard',
  'stripe-logs',
  'mcp-tools',
  'har',
  'otlp',
  'access-log',
  'sdk-log',
  'list',
] as const;
export type ImportFormatName = (typeof IMPORT_FORMATS)[number];

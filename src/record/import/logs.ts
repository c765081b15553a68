import {
  codeOf,
  type ImportedCall,
  type ImportFormat,
  importLines,
  notStripe,
  objectOf,
  partsOf,
  statusOf,
  textOf,
  timeOf,
} from './import-format.ts';

const NO_ACCOUNT = 'Whether a call carried Stripe-Account is not told there.';
const NO_BODIES = 'Names of parameters, and what a POST expands, are not told there.';

/** `stripe logs tail --format json`: a row a line. @see stripe-cli, pkg/logtailing/tailer.go */
export const stripeLogs: ImportFormat = {
  description: 'stripe logs tail --format json',
  recognises: (text) => {
    const first = objectOf(firstLine(text));
    return first !== undefined && 'request_id' in first && 'url' in first && 'method' in first;
  },
  read: (text, context) =>
    importLines(text, [NO_BODIES, NO_ACCOUNT], (line) => {
      const row = objectOf(line);
      const [method, url] = [textOf(row?.method), textOf(row?.url)];
      if (method === undefined || url === undefined) return 'no row with a method and a url';
      const parts = partsOf(url);
      const time = typeof row?.created_at === 'number' ? row.created_at * 1_000 : undefined;
      return (
        notStripe(url, parts.path, context) ?? {
          method,
          ...parts,
          status: statusOf(row?.status),
          code: codeOf(row?.error),
          time,
        }
      );
    }),
};

const REQUEST = /^request to stripe/i;
const ANSWER = /^(?:stripe api response|response from stripe)/i;
/** What these SDKs say besides; `debug` prints bodies, which are passed over. */
const OTHER_LINE =
  /^(?:stripe|request|response|sleeping|api version|error|encountered|initiating|post details|using|dashboard|could not|waiting)|api_version=|message=/i;

/** What stripe-python and stripe-ruby print with `STRIPE_LOG=info`: a line for the request, and one for the answer. */
export const sdkLog: ImportFormat = {
  description: 'STRIPE_LOG=info of stripe-python or stripe-ruby',
  recognises: (text) =>
    /message=['"]?(?:request to stripe|stripe api response|response from stripe)/i.test(text),
  read: (text, context) => {
    const open: { method: string; target: string; path: string }[] = [];
    const read = importLines(text, [NO_BODIES, NO_ACCOUNT], (line) => {
      const field = fieldsOf(line);
      const message = field('message') ?? '';
      const target = field('url') ?? field('path');
      if (REQUEST.test(message) && target !== undefined) {
        const { path } = partsOf(target);
        const why = notStripe(target, path, context);
        if (why !== undefined) return why;
        open.push({ method: field('method') ?? 'GET', target, path });
        return undefined;
      }
      if (ANSWER.test(message) && target !== undefined) {
        const { path } = partsOf(target);
        const index = open.findIndex((one) => one.path === path);
        const [sent] = index < 0 ? [] : open.splice(index, 1);
        const method = sent?.method ?? field('method');
        if (method === undefined) return 'an answer without its request';
        const status = statusOf(field('response_code') ?? field('status'));
        return { method, ...partsOf(sent?.target ?? target), status };
      }
      return OTHER_LINE.test(message || line) ? undefined : 'no line of a Stripe SDK';
    });
    const unanswered = open.map(({ method, target }): ImportedCall => ({ method, ...partsOf(target) }));
    return { ...read, calls: [...read.calls, ...unanswered] };
  },
};

/** `name='value'`, `name="value"` and `name=value` of a line. */
function fieldsOf(line: string): (name: string) => string | undefined {
  return (name) =>
    new RegExp(`(?:^|\\s)${name}=(?:'([^']*)'|"([^"]*)"|(\\S+))`, 'i')
      .exec(line)
      ?.slice(1)
      .find((value) => value !== undefined);
}

/** nginx's and Apache's combined format, and Envoy's default one: the request line in quotes, then the status. */
export const accessLog: ImportFormat = {
  description: 'an access log of nginx or Envoy',
  recognises: (text) => REQUEST_LINE.test(firstLine(text)),
  read: (text, context) =>
    importLines(text, [NO_BODIES, NO_ACCOUNT], (line) => {
      const [, method, target = '', status] = REQUEST_LINE.exec(line) ?? [];
      if (method === undefined) return 'no request line in quotes';
      const parts = partsOf(target);
      const [, time] = /\[([^\]]+)\]/.exec(line) ?? [];
      return (
        notStripe(target, parts.path, context) ?? {
          method,
          ...parts,
          status: statusOf(status),
          time: timeOf(time) ?? timeOf(time?.replace(/^(\d\d)\/(\w{3})\/(\d{4}):/, '$1 $2 $3 ')),
        }
      );
    }),
};

const REQUEST_LINE = /"([A-Z]{3,10}) (\S+) HTTP\/[\d.]+"\s+(\d{1,3})/;

function firstLine(text: string): string {
  return text.trimStart().split('\n', 1)[0] ?? '';
}

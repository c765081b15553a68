import {
  formParts,
  type ImportFormat,
  importEntries,
  isObject,
  listIn,
  notStripe,
  objectOf,
  partsOf,
  statusOf,
  textOf,
  timeOf,
} from './import-format.ts';

/** Spans of HTTP clients as OTLP JSON, a document or one a line. @see OpenTelemetry, HTTP semantic conventions */
export const otlp: ImportFormat = {
  description: 'OpenTelemetry spans (OTLP JSON)',
  recognises: (text) => /"resourceSpans"|"resource_spans"/.test(text.slice(0, 4_096)),
  read: (text, context) => {
    const whole = objectOf(text);
    const documents = whole === undefined ? text.split('\n').map(objectOf) : [whole];
    const spans = documents.flatMap((document) =>
      [...listIn(document, 'resourceSpans'), ...listIn(document, 'resource_spans')].flatMap((resource) =>
        [...listIn(resource, 'scopeSpans'), ...listIn(resource, 'scope_spans')].flatMap((scope) =>
          listIn(scope, 'spans'),
        ),
      ),
    );
    const unseen = [
      'Names of parameters of a POST, what it expands, and whether a call carried Stripe-Account, are in no span.',
    ];
    return importEntries(spans, unseen, (span) => {
      const attributes = new Map(
        listIn(span, 'attributes').map(({ key, value }) => [textOf(key), attributeValue(value)]),
      );
      const attribute = (...names: string[]) => names.map((name) => attributes.get(name)).find(Boolean);
      const method = attribute('http.request.method', 'http.method');
      if (method === undefined) return 'no span of an HTTP call';
      const target = attribute('url.full', 'http.url') ?? '';
      const parts = partsOf(target === '' ? (attribute('url.path', 'http.target') ?? '') : target);
      const host = attribute('server.address', 'net.peer.name', 'http.host');
      const origin = target === '' && host !== undefined ? `https://${host}` : target;
      const nanos = textOf(span.startTimeUnixNano) ?? textOf(span.start_time_unix_nano);
      return (
        notStripe(origin, parts.path, context) ?? {
          method,
          ...parts,
          status: statusOf(attribute('http.response.status_code', 'http.status_code')),
          time: nanos === undefined ? undefined : Math.floor(Number(nanos) / 1e6),
        }
      );
    });
  },
};

function attributeValue(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const found = [
    value.stringValue,
    value.intValue,
    value.doubleValue,
    value.string_value,
    value.int_value,
  ].find((one) => one !== undefined);
  return found === undefined ? undefined : String(found);
}

/** HAR 1.2. @see http://www.softwareishard.com/blog/har-12-spec/ */
export const har: ImportFormat = {
  description: 'HAR 1.2',
  recognises: (text) => /^\s*\{\s*"log"\s*:/.test(text),
  read: (text, context) =>
    importEntries(listIn(objectOf(text)?.log, 'entries'), [], (entry) => {
      const request = isObject(entry.request) ? entry.request : {};
      const [method, url] = [textOf(request.method), textOf(request.url)];
      if (method === undefined || url === undefined) return 'no entry with a method and a url';
      const parts = partsOf(url);
      const response = isObject(entry.response) ? entry.response : {};
      const content = isObject(response.content) ? objectOf(textOf(response.content.text) ?? '') : undefined;
      const error = isObject(content?.error) ? content.error : undefined;
      return (
        notStripe(url, parts.path, context) ?? {
          method,
          ...withBody(parts, request),
          account: listIn(request, 'headers').some(({ name }) => /^stripe-account$/i.test(String(name))),
          status: statusOf(response.status),
          code: textOf(error?.code) ?? textOf(error?.type),
          time: timeOf(textOf(entry.startedDateTime)),
        }
      );
    }),
};

function withBody(parts: ReturnType<typeof partsOf>, request: Readonly<Record<string, unknown>>) {
  const data = bodyIn(request.postData);
  if (data === undefined) return parts;
  const json = objectOf(data);
  if (json !== undefined) {
    const { expand, include, ...rest } = json;
    const listed = [expand, include].flat().filter((path) => typeof path === 'string');
    return {
      ...parts,
      parameters: [...(parts.parameters ?? []), ...Object.keys(rest)],
      expand: [...(parts.expand ?? []), ...listed],
    };
  }
  const { parameters, expand, ...money } = formParts(data);
  return {
    ...parts,
    parameters: [...(parts.parameters ?? []), ...parameters],
    expand: [...(parts.expand ?? []), ...expand],
    ...money,
  };
}

/** The body as text; browsers write a form as a list of names and values instead. */
function bodyIn(postData: unknown): string | undefined {
  if (!isObject(postData)) return undefined;
  const text = textOf(postData.text);
  if (text !== undefined && text !== '') return text;
  const params = listIn(postData, 'params').map(
    ({ name, value }) => `${encodeURIComponent(String(name))}=${encodeURIComponent(String(value ?? ''))}`,
  );
  return params.length === 0 ? undefined : params.join('&');
}

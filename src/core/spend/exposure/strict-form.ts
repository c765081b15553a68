/** What a form field holds: a text, a list, or further fields. */
export type FormValue = string | FormValue[] | FormFields;
export interface FormFields {
  [name: string]: FormValue;
}

/** A form that can be read in one way only, or why it cannot. */
export type FormReading =
  | { readonly ok: true; readonly fields: FormFields }
  | { readonly ok: false; readonly why: string; readonly param?: string };

/** Stripe's own parameters nest less deep. */
const DEEPEST = 8;
/** Stripe's largest calls, with a hundred lines of an invoice, stay below. */
const MOST_FIELDS = 5_000;
/** A larger form is no call of Stripe's API, in bytes. */
export const LARGEST_FORM = 1024 * 1024;

/**
 * What stands for a header elsewhere, and is a parameter of no operation: `_method` of Rails and PHP, and `key`,
 * `_stripe_account` and `_stripe_version`, which Stripe's own library for browsers sends as fields.
 */
export const NO_PARAMETER = /^(?:_.*|(?:api_?)?key)$/i;

/** Lists of whole texts may be written `name[]=a&name[]=b`; more than one such list of maps is read in two ways. */
const NAME = /^([A-Za-z0-9_-]+)((?:\[[A-Za-z0-9_.:-]*\])*)$/;

/**
 * Reads a form body so that nobody can read it otherwise: a name that stands twice, a value beside a map of its name,
 * a name written with escapes, a broken escape, bytes that are no UTF-8 or control characters are refused, instead of
 * guessing which of two readings Stripe would take.
 */
export function readStrictForm(body: Uint8Array): FormReading {
  if (body.length > LARGEST_FORM) return refused('the body is larger than any call of the API');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return refused('the body is no UTF-8');
  }
  const fields: FormFields = Object.create(null) as FormFields;
  if (text === '') return { ok: true, fields };
  const parts = text.split('&', MOST_FIELDS + 1);
  if (parts.length > MOST_FIELDS) return refused('the body has more fields than any call of the API');
  for (const part of parts) {
    const wrong = addField(fields, part);
    if (wrong !== undefined) return { ok: false, ...wrong };
  }
  return { ok: true, fields };
}

interface Wrong {
  readonly why: string;
  readonly param?: string;
}

function refused(why: string): FormReading {
  return { ok: false, why };
}

function addField(fields: FormFields, part: string): Wrong | undefined {
  const equals = part.indexOf('=');
  if (equals < 1) return { why: 'a field has no name or no "="' };
  const name = decodedName(part.slice(0, equals));
  const value = decoded(part.slice(equals + 1));
  if (name === undefined) return { why: 'the name of a field is written with escapes' };
  const match = NAME.exec(name);
  if (match === null || name.length > 500) return { why: 'the name of a field is none of the API' };
  const param = match[1] ?? '';
  if (value === undefined) return { why: 'its value is no text', param };
  const path = [param, ...[...(match[2] ?? '').matchAll(/\[([^\]]*)\]/g)].map((step) => step[1] ?? '')];
  if (path.length > DEEPEST) return { why: 'it nests deeper than any parameter of the API', param };
  if (NO_PARAMETER.test(param) || path.includes('__proto__')) {
    return { why: 'it is no parameter of the API', param };
  }
  const why = put(fields, path, value);
  return why === undefined ? undefined : { why, param };
}

/** Only what SDKs escape in names, the brackets, may be escaped: `%61mount` is refused. */
function decodedName(text: string): string | undefined {
  const plain = text.replace(/%5b/gi, '[').replace(/%5d/gi, ']');
  return plain.includes('%') || plain.includes('+') ? undefined : plain;
}

function decoded(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text.replaceAll('+', ' '));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

function put(fields: FormFields, path: readonly string[], value: string): string | undefined {
  let place: FormFields | FormValue[] = fields;
  for (const [index, step] of path.entries()) {
    const next = path[index + 1];
    if (next === undefined) return putLast(place, step, value);
    if (Array.isArray(place)) {
      // `list[][name]=…`: which entry a second field belongs to is read in several ways.
      return 'it is a list of maps without numbers';
    }
    const known: FormValue | undefined = own(place, step);
    if (typeof known === 'string') return 'it stands there both as a value and as a map';
    if (known === undefined) {
      const made: FormFields | FormValue[] = next === '' ? [] : (Object.create(null) as FormFields);
      place[step] = made;
      place = made;
    } else {
      if (Array.isArray(known) !== (next === '')) return 'it stands there both as a list and as a map';
      place = known;
    }
  }
  return undefined;
}

function putLast(place: FormFields | FormValue[], step: string, value: string): string | undefined {
  if (Array.isArray(place)) {
    if (step !== '') return 'it stands there both as a list and as a map';
    place.push(value);
    return undefined;
  }
  if (step === '') return 'it stands there both as a list and as a map';
  if (own(place, step) !== undefined) return 'it stands there more than once';
  place[step] = value;
  return undefined;
}

function own(fields: FormFields, name: string): FormValue | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

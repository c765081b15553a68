import {
  type FormFields,
  type FormReading,
  type FormValue,
  LARGEST_FORM,
  NO_PARAMETER,
} from '../../core/spend/exposure/strict-form.ts';

/** Parameters of v2 nest less deep. */
const DEEPEST = 12;

/**
 * Reads a JSON body as fields, so that nobody can read it otherwise: a name that stands twice in an object, or one
 * that is no parameter anywhere, is refused. Numbers are kept as they are written, if they are whole.
 */
export function readStrictJson(body: Uint8Array): FormReading {
  if (body.length > LARGEST_FORM) return refused('the body is larger than any call of the API');
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    if (text === '') return { ok: true, fields: Object.create(null) as FormFields };
    value = JSON.parse(text);
  } catch {
    return refused('the body is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refused('the body is no JSON object');
  }
  const counted = { names: 0, isOdd: false };
  const fields = converted(value, 0, counted);
  if (counted.isOdd) return refused('the body holds what is no parameter of the API');
  if (namesIn(text) !== counted.names) return refused('a name stands in the body more than once');
  return { ok: true, fields: fields as FormFields };
}

/** How many names the text has. It is JSON, so every text in it that a colon follows is one. */
function namesIn(text: string): number {
  let names = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (match[1] !== undefined) names += 1;
  return names;
}

function converted(value: unknown, depth: number, counted: { names: number; isOdd: boolean }): FormValue {
  if (depth > DEEPEST) {
    counted.isOdd = true;
    return '';
  }
  if (Array.isArray(value)) return value.map((one) => converted(one, depth + 1, counted));
  if (typeof value === 'object' && value !== null) {
    const fields = Object.create(null) as FormFields;
    for (const [name, member] of Object.entries(value)) {
      counted.names += 1;
      if (name === '__proto__' || (depth === 0 && NO_PARAMETER.test(name))) counted.isOdd = true;
      // Null is as good as not there: it takes a value away.
      if (member !== null) fields[name] = converted(member, depth + 1, counted);
    }
    return fields;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
      counted.isOdd = true;
    return String(value);
  }
  return String(value);
}

function refused(why: string): FormReading {
  return { ok: false, why };
}

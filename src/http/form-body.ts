/** What a form field or a JSON member can hold. */
export type Fields = { [name: string]: unknown };

/** Deeper nesting than this is refused; Stripe's own parameters nest less deep. */
const DEEPEST = 12;

/** Whether a value nests deeper than any that the sandbox takes. */
export function nestsTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth > DEEPEST || Object.values(value).some((member) => nestsTooDeep(member, depth + 1));
}

/**
 * Parses a query or a form body with nested keys and arrays: `a[b]=1`, `list[]=x`, `list[0][c]=y`.
 * The objects have no prototype, so that `__proto__` is a name like any other.
 */
export function parseForm(text: string): Fields {
  const fields = emptyFields();
  if (text === '') return fields;
  for (const [key, value] of new URLSearchParams(text)) setField(fields, key, value);
  return fields;
}

/** Sets one field by its bracketed name. */
export function setField(fields: Fields, key: string, value: unknown): void {
  const path = pathOf(key);
  let place: Fields | unknown[] = fields;
  for (const [index, name] of path.entries()) {
    const next = path[index + 1];
    if (next === undefined) {
      put(place, name, value);
      return;
    }
    const known = get(place, name);
    if (typeof known === 'object' && known !== null) {
      place = known as Fields | unknown[];
    } else {
      const made: Fields | unknown[] = next === '' || next === '0' ? [] : emptyFields();
      put(place, name, made);
      place = made;
    }
  }
}

/** A record whose members are all its own. */
export function emptyFields(): Fields {
  return Object.create(null) as Fields;
}

function pathOf(key: string): string[] {
  if (!key.includes('[')) return [key];
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(key);
  if (match === null) return [key];
  const rest = [...(match[2] ?? '').matchAll(/\[([^[\]]*)\]/g)].map((part) => part[1] ?? '');
  return rest.length > DEEPEST ? [key] : [match[1] ?? '', ...rest];
}

function get(place: Fields | unknown[], name: string): unknown {
  if (!Array.isArray(place)) return place[name];
  return name === '' ? undefined : place[Number(name)];
}

function put(place: Fields | unknown[], name: string, value: unknown): void {
  if (!Array.isArray(place)) {
    place[name] = value;
    return;
  }
  const index = Number(name);
  // An index beyond the end would make an array with holes, of any length that a stranger likes.
  if (name === '' || !Number.isInteger(index) || index < 0 || index > place.length) place.push(value);
  else place[index] = value;
}

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
 * Parses a query or a form body with nested keys and arrays: `a[b]=1`, `list[]=x`, `list[0][c]=y`. Of
 * `list[][a]=1&list[][b]=2` both are one item; a name that the item has already begins the next.
 * The objects have no prototype, so that `__proto__` is a name like any other.
 */
export function parseForm(text: string): Fields {
  const fields = emptyFields();
  if (text === '') return fields;
  for (const [key, value] of new URLSearchParams(text)) setField(fields, key, value);
  return fields;
}

type Place = Fields | unknown[];

/** Sets one field by its bracketed name. */
export function setField(fields: Fields, key: string, value: unknown): void {
  const path = pathOf(key);
  let place: Place = fields;
  for (const [index, name] of path.entries()) {
    const rest = path.slice(index + 1);
    if (rest.length === 0) {
      put(place, name, value);
      return;
    }
    const known = get(place, name, rest);
    if (typeof known === 'object' && known !== null) {
      place = known as Place;
    } else {
      const made: Place = rest[0] === '' || rest[0] === '0' ? [] : emptyFields();
      put(place, name, made);
      place = made;
    }
  }
}

/** The way back, for links: each scalar with its bracketed name. */
export function formPairs(fields: Fields): [name: string, value: string][] {
  const pairsOf = (name: string, value: unknown): [string, string][] => {
    if (typeof value !== 'object' || value === null) return [[name, String(value)]];
    return Object.entries(value).flatMap(([key, member]) => pairsOf(`${name}[${key}]`, member));
  };
  return Object.entries(fields).flatMap(([name, value]) => pairsOf(name, value));
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

/** What is there to set a field in; of `[]` the last item, unless it has what comes `rest` already. */
function get(place: Place, name: string, rest: readonly string[]): unknown {
  if (!Array.isArray(place)) return place[name];
  if (name !== '') return place[Number(name)];
  const last: unknown = place.at(-1);
  return typeof last === 'object' && last !== null && !has(last, rest) ? last : undefined;
}

/** Whether a field is set already; an array that ends the name can take one more. */
function has(place: object, [name = '', ...rest]: readonly string[]): boolean {
  if (Array.isArray(place)) {
    const last: unknown = name === '' ? place.at(-1) : place[Number(name)];
    if (rest.length === 0) return name !== '' && last !== undefined;
    return name !== '' && typeof last === 'object' && last !== null && has(last, rest);
  }
  if (!Object.hasOwn(place, name)) return false;
  const member = (place as Fields)[name];
  if (rest.length === 0) return true;
  return typeof member !== 'object' || member === null || has(member, rest);
}

function put(place: Place, name: string, value: unknown): void {
  if (!Array.isArray(place)) {
    place[name] = value;
    return;
  }
  const index = Number(name);
  // An index beyond the end would make an array with holes, of any length that a stranger likes.
  if (name === '' || !Number.isInteger(index) || index < 0 || index > place.length) place.push(value);
  else place[index] = value;
}

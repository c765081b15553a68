/** What is wrong with a text that was meant to be a key, in words that follow "holds", and what to do. */
export interface KeyTextFault {
  readonly what: string;
  readonly hint: string;
}

/** Characters that take no room: what is copied from a chat or a PDF often has them at its ends. */
const INVISIBLE = /[\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const QUOTES = '"\'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb';

const FAULTS: readonly (readonly [pattern: RegExp, fault: KeyTextFault])[] = [
  [
    INVISIBLE,
    {
      what: 'an invisible character beside the key, as copied text often has',
      hint: 'Copy the key again from the Dashboard, or type the first and last characters anew.',
    },
  ],
  [
    /^(?:export\s+)?[A-Za-z_]\w*\s*=/,
    {
      what: 'a whole line NAME=… of an env file',
      hint: 'Take only what stands behind the "=".',
    },
  ],
  [
    /^(?:authorization\s*:\s*)?(?:bearer|basic)\s/i,
    {
      what: 'a header ("Bearer …")',
      hint: 'Take the key alone: the SDK writes "Bearer" itself.',
    },
  ],
  [
    new RegExp(`^[${QUOTES}]|[${QUOTES}]$`),
    {
      what: 'quotes around the key',
      hint: 'Take the key without quotes: an agent would send them along, and be refused.',
    },
  ],
  [
    /\s/,
    {
      what: 'blanks or line breaks within the key',
      hint: 'A key is one word; it may have been broken over two lines when it was copied.',
    },
  ],
  [
    /[*\u2022\u2026]|\.{3}/,
    {
      what: 'a masked key, most of which is hidden',
      hint: 'Stripe shows a key whole once, when it is made; take it from where it was kept then, or make a new one.',
    },
  ],
  [
    /\\/,
    {
      what: 'a backslash, as escaped text has it',
      hint: 'Take the key alone, without an escaped line break ("\\n").',
    },
  ],
  [
    /[^\x21-\x7e]|^(?:[srp]k|whsec)_.*[.,;:!?)\]}>]$/,
    {
      what: 'characters that no key has',
      hint: 'Keys have letters, digits and "_" alone; copy it again from the Dashboard.',
    },
  ],
];

/** Keys of Stripe have up to some 250 characters; a server takes some 16,000 of headers altogether. */
const LONGEST_KEY = 4_000;

/** Why a text, blanks at its ends apart, can be no key; undefined where it can. */
export function keyTextFault(text: string): KeyTextFault | undefined {
  const found = FAULTS.find(([pattern]) => pattern.test(text))?.[1];
  if (found !== undefined || text.length <= LONGEST_KEY) return found;
  return { what: `${text.length} characters, which no key has`, hint: 'Take the key alone.' };
}

/** The words of a text that could be secrets, whatever stands around them. */
export function wordsOf(text: string): readonly string[] {
  const parts = text.split(/\s+/);
  const bare = text.split(new RegExp(`[\\s${QUOTES}=]|${INVISIBLE.source}`));
  return [...new Set([...parts, ...bare])];
}

/** Whether a key of Stripe's stands somewhere in a text, where a person wrote what is to be kept and shown. */
export function hasKeyIn(text: string): boolean {
  return /(?:[sre]k_(?:org_)?(?:test|live)_|whsec_)[A-Za-z0-9]{8}/.test(text);
}

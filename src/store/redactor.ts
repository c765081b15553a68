const REPLACEMENT = '[redacted]';
/** Shorter texts are no secrets, and replacing them would garble the output. */
const SHORTEST_SECRET = 8;
/** So much of the beginning of a secret tells it: a message may have cut off the rest. */
const TELLING = 16;
/** Longer than any key of Stripe's: a longer word is none that is still to come. */
const LONGEST_WORD = 65_536;

/** The forms in which secrets could show that begin alike: keys of one kind and mode do. */
interface Alike {
  /** By their own beginnings: where one stands, the secret is taken to stand, as far as the two agree. */
  readonly byBeginning: Map<string, string[]>;
  /** How long those beginnings are. */
  readonly lengths: Set<number>;
}

/** Raw, as part of a URL, of JSON and of XML, in hexadecimal, and in base64 wherever in the encoded text it begins. */
function formsOf(secret: string): ReadonlySet<string> {
  const bytes = Buffer.from(secret, 'utf8');
  const hex = bytes.toString('hex');
  // The first characters depend on what stands before the secret.
  const inBase64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(offset === 0 ? 0 : offset + 1),
  );
  return new Set([
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    secret.replace(/[&<>"']/g, (character) => XML[character] ?? character),
    hex,
    hex.replace(/..(?=.)/g, '$& '),
    ...inBase64,
    ...inBase64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ]);
}

const XML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * What reads like a secret of Stripe's, or a run key of the guard, whether it was ever taken as one: an argument
 * that a message repeats, say. `$1` is what may be shown of it.
 */
const KEY_SHAPED =
  /(?<![A-Za-z0-9])((?:[srpeu]k_(?:(?:org|guard)_)?(?:test|live)_|[sr]k_(?:org|guard)_|whsec_)(?=[A-Za-z0-9_-]{6}))[A-Za-z0-9_-]+/g;

/** How each of them begins. */
const SHAPES = [
  ...['s', 'r', 'p', 'e', 'u'].flatMap((kind) =>
    ['', 'org_', 'guard_'].flatMap((of) => ['test', 'live'].map((mode) => `${kind}k_${of}${mode}_`)),
  ),
  ...['s', 'r'].flatMap((kind) => ['org', 'guard'].map((of) => `${kind}k_${of}_`)),
  'whsec_',
];

function redactShapes(text: string): string {
  return text.replace(KEY_SHAPED, `$1${REPLACEMENT}`);
}

/** Where a secret stands, or as much of its beginning as the text has. */
interface Hit {
  readonly at: number;
  readonly end: number;
  /** Whether the text ends before the secret does, so that the rest of it could follow. */
  readonly isOpen: boolean;
}

/** How many characters of a form stand in a text at a place. */
function agreement(form: string, text: string, at: number): number {
  let length = 0;
  while (length < form.length && text[at + length] === form[length]) length++;
  return length;
}

function withoutHits(text: string, hits: readonly Hit[]): string {
  let done = '';
  let from = 0;
  for (const { at, end } of hits) {
    done += text.slice(from, at) + REPLACEMENT;
    from = end;
  }
  return done + text.slice(from);
}

/** A writer behind the redactor. */
export interface RedactedWriter {
  write(text: string): void;
  /** Writes what was held back; call at the end. */
  flush(): void;
}

/**
 * Takes secrets out of what is written. It knows those that it was told of, and whatever reads like a key; what
 * starts a run tells it of every key, before any is read.
 */
export class Redactor {
  /** By their first characters, so that a report is searched a few times however many keys it is about. */
  readonly #alike = new Map<string, Alike>();

  /** Takes a value for a secret from now on: it is replaced wherever it shows, in every form that is known. */
  readonly take = (secret: string): void => {
    if (secret.length < SHORTEST_SECRET) return;
    for (const form of formsOf(secret)) {
      if (form.length >= SHORTEST_SECRET) this.#add(form);
    }
  };

  #add(form: string): void {
    const first = form.slice(0, SHORTEST_SECRET);
    const beginning = form.slice(0, TELLING);
    const alike = this.#alike.get(first) ?? { byBeginning: new Map(), lengths: new Set() };
    const forms = alike.byBeginning.get(beginning) ?? [];
    if (!forms.includes(form)) alike.byBeginning.set(beginning, [...forms, form]);
    alike.lengths.add(beginning.length);
    this.#alike.set(first, alike);
  }

  /** Replaces every secret, in any of its forms. */
  readonly redact = (text: string): string => redactShapes(withoutHits(text, this.#hitsIn(text)));

  /**
   * A writer that redacts, also where a secret comes in several writes: an end that could be the beginning
   * of a secret waits for what follows.
   */
  writer(write: (text: string) => void): RedactedWriter {
    let held = '';
    const release = (text: string) => {
      const ready = this.redact(text);
      if (ready !== '') write(ready);
    };
    return {
      write: (text) => {
        const whole = held + text;
        const end = this.#possibleBeginning(whole);
        held = whole.slice(end);
        release(whole.slice(0, end));
      },
      flush: () => {
        const rest = held;
        held = '';
        release(rest);
      },
    };
  }

  /** In order, none touching another. Plain searches: a pattern made of secrets has a size at which it fails. */
  #hitsIn(text: string): readonly Hit[] {
    const hits: Hit[] = [];
    for (const [first, { byBeginning, lengths }] of this.#alike) {
      for (let at = text.indexOf(first); at >= 0; at = text.indexOf(first, at + 1)) {
        for (const length of lengths) {
          for (const form of byBeginning.get(text.slice(at, at + length)) ?? []) {
            const end = at + agreement(form, text, at);
            hits.push({ at, end, isOpen: end === text.length && end - at < form.length });
          }
        }
      }
    }
    hits.sort((a, b) => a.at - b.at);
    const merged: Hit[] = [];
    for (const hit of hits) {
      const last = merged.at(-1);
      if (last === undefined || hit.at > last.end) merged.push(hit);
      else {
        merged[merged.length - 1] = {
          at: last.at,
          end: Math.max(last.end, hit.end),
          isOpen: last.isOpen || hit.isOpen,
        };
      }
    }
    return merged;
  }

  *#beginnings(): Iterable<string> {
    for (const { byBeginning } of this.#alike.values()) yield* byBeginning.keys();
  }

  /** Where the longest end of a text begins that could be the beginning of a secret; its length where none could. */
  #possibleBeginning(text: string): number {
    // No form of a secret goes over a line.
    if (text === '' || text.endsWith('\n')) return text.length;
    const hits = this.#hitsIn(text);
    let at = hits.at(-1)?.isOpen === true ? (hits.at(-1)?.at ?? text.length) : text.length;
    for (const beginning of this.#beginnings()) {
      const first = beginning.charAt(0);
      const from = Math.max(0, text.length - beginning.length + 1);
      for (let start = text.indexOf(first, from); start >= 0 && start < at; ) {
        if (beginning.startsWith(text.slice(start))) at = start;
        start = text.indexOf(first, start + 1);
      }
    }
    const word = /[A-Za-z0-9_-]*$/.exec(text.slice(-LONGEST_WORD))?.[0] ?? '';
    const isShape = SHAPES.some((shape) => word !== '' && (shape.startsWith(word) || word.startsWith(shape)));
    if (isShape) at = Math.min(at, text.length - word.length);
    // A secret that is whole stays whole: what is held begins before it or behind it.
    return hits.find((hit) => hit.at < at && at < hit.end)?.at ?? at;
  }
}

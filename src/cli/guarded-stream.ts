import { plainText, withoutCommands } from '../core/plain-text.ts';
import type { RedactedWriter, Redactor } from '../store/redactor.ts';

/** Annotations of `--format github`, the only commands to a CI runner that keyaudit gives. */
const ANNOTATION = /^::(?:error|warning|notice) file=[^\n]*::/;

/** What is written to: a stream of the process, or what stands in for it. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface GuardOptions {
  /** Whether styles are wanted. */
  styles: boolean;
  /** Whether this run prints annotations for GitHub's runner. */
  annotations: boolean;
}

/**
 * The one way out through a stream of the process. Whatever is written, by keyaudit, by a library, by Node itself,
 * is redacted; what keyaudit writes is made plain as well. A stream that is closed or full swallows the rest and
 * remembers why, so that the run goes on to its other reports and its true exit code.
 */
export class GuardedStream {
  readonly #write: (chunk: string) => boolean;
  readonly #redacted: RedactedWriter;
  /** Itself guarded: what is written to it passes through here. */
  readonly stream: OutputStream;
  readonly options: GuardOptions = { styles: false, annotations: false };
  /** Whether what passes is made plain. What libraries tell a terminal is not: a spinner moves the cursor. */
  #isPlain = true;
  #failure: NodeJS.ErrnoException | undefined;
  /** The beginning of a line that is not ended yet: what follows could make a command of it. */
  #line = '';

  constructor(stream: OutputStream, redactor: Redactor) {
    this.stream = stream;
    this.#write = stream.write.bind(stream) as (chunk: string) => boolean;
    this.#redacted = redactor.writer((text) => this.#send(text));
    stream.on('error', (error) => this.#fail(error));
    // Everything that does not come through this class: libraries, the debug output of Node, warnings.
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      this.#pass(
        typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'),
        stream.isTTY !== true,
      );
      const done = rest.at(-1);
      if (typeof done === 'function') process.nextTick(done as () => void);
      return true;
    }) as typeof stream.write;
  }

  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  /** Width of a terminal; 0 where none is known. */
  get columns(): number {
    return this.stream.columns ?? 0;
  }

  /** Why the stream takes no more; undefined while it does. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#failure;
  }

  /** Text of ours. */
  readonly write = (text: string): void => this.#pass(text, true);

  /** A secret that the user asked to see: past the redactor. */
  readonly unredacted = (text: string): void => {
    this.flush();
    this.#direct(text);
  };

  /** Writes what waits for more. */
  flush(): void {
    this.#redacted.flush();
    this.#endLine();
  }

  #pass(text: string, isPlain: boolean): void {
    if (isPlain !== this.#isPlain) {
      this.flush();
      this.#isPlain = isPlain;
    }
    this.#redacted.write(text);
  }

  #send(text: string): void {
    if (!this.#isPlain) {
      this.#direct(text);
      return;
    }
    const plain = this.#line + plainText(text, { styles: this.options.styles });
    const start = plain.lastIndexOf('\n') + 1;
    this.#line = couldCommand(plain.slice(start)) ? plain.slice(start) : '';
    this.#direct(this.#harmless(plain.slice(0, plain.length - this.#line.length)));
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = '';
    this.#direct(this.#harmless(line));
  }

  #harmless(text: string): string {
    return withoutCommands(text, (line) => this.options.annotations && ANNOTATION.test(line));
  }

  #direct(text: string): void {
    if (this.#failure !== undefined || text === '') return;
    try {
      this.#write(text);
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    }
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#failure ??= error;
  }
}

/** Whether a line that is not ended yet could still become a command. */
function couldCommand(line: string): boolean {
  return /^\s*(?::|$)|#[#A-Za-z]*$/.test(line) && line !== '';
}

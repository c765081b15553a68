/** A question for a line of text. */
export interface TextQuestion {
  readonly message: string;
  /** What an empty answer means. */
  readonly otherwise: string;
  /** What is wrong with an answer, to be said before it is asked again; undefined where nothing is. */
  wrong?(answer: string): string | undefined;
}

/** One of a few things to choose from. */
export interface Choice<T extends string> {
  readonly value: T;
  /** What it comes to, a line; in a search read only where it is shown. */
  readonly about: string;
}

/** A question with few answers. */
export interface ChoiceQuestion<T extends string> {
  readonly message: string;
  readonly choices: readonly Choice<T>[];
  /** What an empty answer means. */
  readonly otherwise: T;
}

/** A question with many answers, which are searched. */
export interface SearchQuestion {
  readonly message: string;
  /** What the typed text may mean, the likeliest first. */
  readonly find: (text: string) => readonly Choice<string>[];
}

/**
 * A person who is asked. An answer is checked where it is given, and asked for again until it is right.
 * Each question throws `INTERRUPTED` where the person ends it: Ctrl-C, or the end of input.
 */
export interface Prompts {
  text(question: TextQuestion): Promise<string>;
  choose<T extends string>(question: ChoiceQuestion<T>): Promise<T>;
  /** Shows what is found while it is typed; undefined where a terminal shows nothing but lines. */
  readonly search?: ((question: SearchQuestion) => Promise<string>) | undefined;
  say(text: string): void;
}

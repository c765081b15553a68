import { Writable } from 'node:stream';
import { autocomplete, type CANCEL_SYMBOL, isCancel, log, select, text } from '@clack/prompts';
import { plain, wrap } from '../../report/text.ts';
import { interrupted } from './line-prompts.ts';
import type { Prompts, SearchQuestion } from './prompts.ts';

/** A terminal that can move its cursor. */
export interface DrawnTerminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WritableStream & { readonly columns?: number; readonly rows?: number };
  readonly colour: boolean;
  /** Aborted when the user ends the run. */
  readonly signal: AbortSignal;
}

/** So many of what is found are shown at once. */
const MOST_SHOWN = 7;
/** What the library draws beside a text, in columns. */
const MARGIN = 4;

/** Questions that are drawn, and drawn anew while somebody types; loaded only where somebody is asked. */
export function drawnPrompts(terminal: DrawnTerminal): Prompts {
  const output = outputTo(terminal);
  const asking = async <T>(
    ask: (on: {
      input: NodeJS.ReadStream;
      output: Writable;
      signal: AbortSignal;
    }) => Promise<T | typeof CANCEL_SYMBOL>,
  ): Promise<T> => {
    const { stdin, signal } = terminal;
    if (stdin.readableEnded || stdin.destroyed) throw interrupted();
    const ended = new AbortController();
    const end = () => ended.abort();
    // The library waits for ever where the input ends, be it by Ctrl-D or by a terminal that is closed.
    const onKey = (_: string, key: { ctrl?: boolean; name?: string }) => {
      if (key?.ctrl === true && key.name === 'd') end();
    };
    stdin.on('keypress', onKey).once('end', end).once('close', end);
    try {
      const answer = await ask({ input: stdin, output, signal: AbortSignal.any([signal, ended.signal]) });
      if (isCancel(answer)) throw signal.aborted ? signal.reason : interrupted();
      return answer;
    } finally {
      stdin.off('keypress', onKey).off('end', end).off('close', end);
    }
  };
  return {
    say: (words) => {
      const columns = (terminal.stderr.columns ?? 80) - MARGIN;
      const lines = words.split('\n').map((line) => wrap(line, { columns }).trimEnd());
      log.message(lines.join('\n'), { output });
    },
    text: async ({ message, otherwise, wrong }) => {
      const answered = (typed: string | undefined) => (typed ?? '').trim() || otherwise;
      return answered(
        await asking((on) =>
          text({
            ...on,
            message: plain(message),
            placeholder: plain(otherwise),
            validate: (typed) => {
              const fault = wrong?.(answered(typed));
              return fault === undefined ? undefined : fault.split('\n').map(plain).join('\n');
            },
          }),
        ),
      );
    },
    choose: async ({ message, choices, otherwise }) => {
      const options = choices.map(({ value, about }) => ({
        value: value as string,
        label: plain(value),
        ...(about === '' ? {} : { hint: plain(about) }),
      }));
      const chosen = await asking((on) =>
        select({ ...on, message: plain(message), options, initialValue: otherwise as string }),
      );
      return (choices.find(({ value }) => value === chosen) ?? { value: otherwise }).value;
    },
    search: async (question) => {
      const found = foundBy(question);
      const { name } = await asking((on) =>
        autocomplete<Found['value']>({
          ...on,
          message: plain(question.message),
          maxItems: MOST_SHOWN,
          options() {
            return found(this.userInput);
          },
          // What is found has been chosen by then.
          filter: () => true,
          validate: (value) => (value === undefined ? 'Nothing is called so. Try another word.' : undefined),
        }),
      );
      return name;
    },
  };
}

interface Found {
  /** Another for each text that was typed, so that the likeliest is the one that Enter takes. */
  readonly value: { readonly name: string };
  readonly label: string;
  readonly hint: string;
}

function foundBy({ find }: SearchQuestion): (typed: string) => Found[] {
  let last: { readonly typed: string; readonly found: Found[] } | undefined;
  return (typed) => {
    if (last?.typed !== typed) {
      const found = find(typed).map((choice) => ({
        value: { name: choice.value },
        label: plain(choice.value),
        // Asked for only where it is shown.
        get hint() {
          return plain(choice.about);
        },
      }));
      last = { typed, found };
    }
    return last.found;
  };
}

/** What the library writes to: the terminal, without colours where none are wanted. */
function outputTo({ stderr, colour }: DrawnTerminal): Writable {
  const output = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      stderr.write(colour ? chunk : chunk.replace(COLOUR, ''));
      done();
    },
  });
  Object.defineProperty(output, 'isTTY', { value: true });
  Object.defineProperty(output, 'columns', { get: () => stderr.columns });
  Object.defineProperty(output, 'rows', { get: () => stderr.rows });
  return output;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told begins with the escape character
const COLOUR = /\u001b\[[\d;]*m/g;

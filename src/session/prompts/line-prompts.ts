import { EXIT, KeyauditError } from '../../core/error.ts';
import { wrap } from '../../report/text.ts';
import type { CommandContext } from '../context.ts';
import type { Prompts } from './prompts.ts';

/** Questions and answers as plain lines: for a terminal that cannot move its cursor, or a narrow one. */
export function linePrompts({ stdin, stderr }: Pick<CommandContext, 'stdin' | 'stderr'>): Prompts {
  const ask = async (question: string, otherwise: string): Promise<string> => {
    const answer = await stdin.ask(`${question}${otherwise === '' ? '' : ` [${otherwise}]`}: `);
    if (answer === undefined) throw interrupted();
    return answer || otherwise;
  };
  const say = (text: string) => {
    for (const line of text.split('\n')) stderr.write(wrap(line, stderr, { indent: '    ', first: '  ' }));
  };
  return {
    say,
    text: async ({ message, otherwise, wrong }) => {
      for (;;) {
        const answer = await ask(message, otherwise);
        const fault = wrong?.(answer);
        if (fault === undefined) return answer;
        say(fault);
      }
    },
    choose: async ({ message, choices, otherwise }) => {
      const names = choices.map(({ value }) => value).join(', ');
      for (const { value, about } of choices) if (about !== '') say(`${value}: ${about}`);
      for (;;) {
        const answer = await ask(`${message} (${names})`, otherwise);
        const chosen = choices.find(({ value }) => value === answer.toLowerCase());
        if (chosen !== undefined) return chosen.value;
        say(`"${answer}" is none of them. Valid: ${names}.`);
      }
    },
  };
}

/** A person has ended the questions. */
export function interrupted(): KeyauditError {
  return new KeyauditError('INTERRUPTED', 'Interrupted; nothing was written.', {
    exitCode: EXIT.undetermined,
  });
}

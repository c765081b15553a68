import type { CiSystem } from '../../core/draft/ci-system.ts';
import { parseStarterPermission } from '../../core/draft/starter-profile.ts';
import { EXIT, KeyauditError } from '../../core/error.ts';
import { hasKeyIn } from '../../core/key-text.ts';
import { dayAndTime } from '../../report/text.ts';
import { type UnfinishedInit, UnfinishedInits } from '../../store/notes/unfinished-init.ts';
import { today } from '../context.ts';
import { linePrompts } from '../prompts/line-prompts.ts';
import type { Prompts } from '../prompts/prompts.ts';
import type { Session } from '../session.ts';
import type { InterviewSurroundings } from './init-interview.ts';

/** An interview that is begun, or gone on with. */
export interface ResumedInit {
  readonly around: Omit<InterviewSurroundings, 'overwrites'>;
  /** What is known so far. */
  answers(): UnfinishedInit;
  /** Forgets an answer, so that it is asked for again. */
  drop(answer: 'name'): Promise<void>;
}

interface GivenByFlags {
  readonly description?: string;
  readonly env?: string;
  readonly permission: readonly string[];
  readonly ci?: CiSystem;
}

/** Begins with what flags say and, where a person wants that, with the answers of an init that was interrupted. */
export async function resumeInit(
  flags: GivenByFlags,
  taken: ReadonlyMap<string, string>,
  session: Session,
): Promise<ResumedInit> {
  const inits = new UnfinishedInits(session.cwd, session.env);
  const kept = await inits.read();
  let isKept = kept !== undefined;
  const prompts = askedWithCare((await session.stdin.drawnPrompts()) ?? linePrompts(session), () => isKept);
  const given = flagsAsAnswers(flags);
  const before = kept !== undefined && (await goesOn(kept, prompts)) ? kept : undefined;
  let answers: UnfinishedInit = { startedAt: session.now().toISOString(), ...before, ...given };
  const keep = async (more: UnfinishedInit) => {
    answers = more;
    isKept = true;
    await inits.keep(more);
  };
  return {
    around: { prompts, catalog: session.catalog, today: today(session), taken, keep },
    answers: () => answers,
    drop: async (answer) => {
      const { [answer]: _, ...rest } = answers;
      await keep(rest);
    },
  };
}

function flagsAsAnswers({ description, env, permission, ci }: GivenByFlags): Partial<UnfinishedInit> {
  const permissions = permission.map(parseStarterPermission);
  return {
    ...(description === undefined ? {} : { description }),
    ...(env === undefined ? {} : { env }),
    ...(ci === undefined ? {} : { ci }),
    ...(permissions.length === 0 ? {} : { permissions, isWhole: true }),
  };
}

async function goesOn(
  { name, permissions = [], startedAt }: UnfinishedInit,
  prompts: Prompts,
): Promise<boolean> {
  const about = [
    ...(name === undefined ? [] : [`of ${name}`]),
    ...(permissions.length === 0 ? [] : [`with ${permissions.map((one) => one.name).join(', ')}`]),
  ];
  prompts.say(`An init ${about.join(' ')} was begun on ${dayAndTime(startedAt)} and not ended.`);
  const way = await prompts.choose({
    message: 'Go on with it',
    choices: [
      { value: 'yes', about: '' },
      { value: 'no', about: '' },
    ],
    otherwise: 'yes',
  });
  return way === 'yes';
}

/** No answer with a key in it is taken, since answers are kept; what ends the questions says what is kept. */
function askedWithCare(prompts: Prompts, isKept: () => boolean): Prompts {
  const asking = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      if (!(error instanceof KeyauditError) || error.code !== 'INTERRUPTED' || !isKept()) throw error;
      throw new KeyauditError('INTERRUPTED', 'Interrupted; no file was written, and your answers are kept.', {
        exitCode: EXIT.undetermined,
        hint: 'Go on with "keyaudit init".',
      });
    });
  const { search } = prompts;
  return {
    say: prompts.say,
    text: ({ wrong, ...question }) =>
      asking(
        prompts.text({
          ...question,
          wrong: (answer) =>
            hasKeyIn(answer)
              ? 'That holds a key, and what is answered here is kept in files. If it was a real one, change it.'
              : wrong?.(answer),
        }),
      ),
    choose: (question) => asking(prompts.choose(question)),
    search: search === undefined ? undefined : (question) => asking(search(question)),
  };
}

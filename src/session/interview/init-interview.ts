import { isDeepStrictEqual } from 'node:util';
import type { Catalog } from '../../core/catalog/catalog.ts';
import { CI_SYSTEMS, type CiSystem } from '../../core/draft/ci-system.ts';
import { type DraftPermission, writesToAccept } from '../../core/draft/profile-text.ts';
import { readPermissions, wrongWithAnswer, wrongWithPermissions } from '../../core/draft/read-permissions.ts';
import { resolveDraft } from '../../core/draft/resolve-draft.ts';
import { aboutLevel, aboutResource, findResources, levelsOf } from '../../core/draft/resource-choice.ts';
import { defaultVariable } from '../../core/profile/profile.ts';
import { PROFILE_NAME, PROFILE_NAME_RULE } from '../../core/profile/profile-name.ts';
import { variableFault } from '../../core/profile/variable-name.ts';
import { someOf } from '../../core/some-of.ts';
import type { UnfinishedInit } from '../../store/notes/unfinished-init.ts';
import type { Prompts } from '../prompts/prompts.ts';

/** All that `init` has to know. */
export interface InitAnswers {
  readonly name: string;
  readonly description: string;
  readonly env?: string | undefined;
  readonly permissions: readonly DraftPermission[];
  /** Why the writes that come along are taken; empty or undefined where that is left for later. */
  readonly acceptBecause?: string | undefined;
  readonly ci: CiSystem;
}

/** What there is already, and who is asked. */
export interface InterviewSurroundings {
  readonly prompts: Prompts;
  readonly catalog: Catalog;
  /** YYYY-MM-DD */
  readonly today: string;
  /** The user's own profiles: variable by name. */
  readonly taken: ReadonlyMap<string, string>;
  /** Whether a profile of a name that is taken is to be overwritten. */
  readonly overwrites: boolean;
  /** Called after each answer. */
  keep(answers: UnfinishedInit): Promise<void>;
}

/** What is proposed where nobody knows better. */
export const INIT_DEFAULTS = {
  name: 'my-agent',
  permissions: ['charges=read', 'customers=read'],
  ci: 'github',
} as const;

/** Names longer than this make file names that not every system takes. */
const LONGEST_NAME = 100;

/** Asks for all that is still open, in turn. @throws KeyauditError `INTERRUPTED` */
export async function askInit(known: UnfinishedInit, around: InterviewSurroundings): Promise<InitAnswers> {
  let answers = known;
  const take = async (more: Partial<UnfinishedInit>) => {
    if (isDeepStrictEqual({ ...answers, ...more }, answers)) return;
    answers = { ...answers, ...more };
    await around.keep(answers);
  };
  const name = answers.name ?? (await askName(around));
  await take({ name });
  const { prompts } = around;
  const variable = answers.env ?? (await askVariable(name, around));
  await take({ env: variable });
  const description =
    answers.description ??
    (await prompts.text({ message: 'What does it do, in one sentence', otherwise: `What ${name} does` }));
  await take({ description });
  const permissions = await askWhatItNeeds(answers, around, take);
  const ci = answers.ci ?? (await askCi(around));
  await take({ ci });
  return { name, description, env: answers.env, permissions, acceptBecause: answers.accept, ci };
}

async function askName({ prompts, taken, overwrites }: InterviewSurroundings): Promise<string> {
  if (taken.size > 0) {
    prompts.say(
      `There ${taken.size === 1 ? 'is one profile' : `are ${taken.size} profiles`} here: ${someOf([...taken.keys()])}. This adds another, and changes none of them.`,
    );
  }
  return prompts.text({
    message: 'Name of the agent',
    otherwise: freeName(taken),
    wrong: (name) => {
      if (!PROFILE_NAME.test(name)) return `"${name}" is no name for a profile. Use ${PROFILE_NAME_RULE}.`;
      if (name.length > LONGEST_NAME) return `That is too long. Use ${LONGEST_NAME} characters at most.`;
      return taken.has(name) && !overwrites
        ? `There is a profile "${name}" already. Choose another name, or say --force to replace it.`
        : undefined;
    },
  });
}

function freeName(taken: ReadonlyMap<string, string>): string {
  let name: string = INIT_DEFAULTS.name;
  for (let count = 2; taken.has(name); count++) name = `${INIT_DEFAULTS.name}-${count}`;
  return name;
}

/** Asked for only where the one made from the name is another profile's. */
async function askVariable(
  name: string,
  { prompts, taken }: InterviewSurroundings,
): Promise<string | undefined> {
  const variable = defaultVariable(name);
  const others = [...taken].filter(([other]) => other !== name);
  const userOf = (wanted: string) => others.find(([, used]) => used === wanted)?.[0];
  const user = userOf(variable);
  if (user === undefined) return undefined;
  prompts.say(`${variable} is the variable of ${user}; an agent would be handed the other's key.`);
  let free = variable;
  for (let count = 2; userOf(free) !== undefined; count++) free = variable.replace(/_KEY$/, `_${count}_KEY`);
  return prompts.text({
    message: 'The variable that holds its key',
    otherwise: free,
    wrong: (wanted) => {
      const fault = variableFault(wanted);
      // What is typed here may be a key, which is never said again.
      if (fault !== undefined) return `This ${fault.message} ${fault.hint}`;
      const other = userOf(wanted);
      return other === undefined ? undefined : `${wanted} is the variable of ${other}.`;
    },
  });
}

type Take = (more: Partial<UnfinishedInit>) => Promise<void>;

/** What it needs, and what is to become of the writes that come along, until both are settled. */
async function askWhatItNeeds(
  known: UnfinishedInit,
  around: InterviewSurroundings,
  take: Take,
): Promise<readonly DraftPermission[]> {
  const { prompts, catalog, today } = around;
  let permissions = known.permissions ?? [];
  let isWhole = known.isWhole === true && wrongWithPermissions(permissions, catalog, today) === undefined;
  let { accept } = known;
  for (;;) {
    if (!isWhole) permissions = [...(await askPermissions(permissions, around, take))];
    isWhole = true;
    await take({ permissions, isWhole });
    if (accept !== undefined) return permissions;
    const { grant } = resolveDraft({ name: 'draft', permissions }, catalog, today);
    const writes = writesToAccept(grant, catalog);
    if (writes.length === 0) return permissions;
    const way = await askWay(writes, prompts);
    if (way === 'change') {
      isWhole = false;
      await take({ isWhole });
      continue;
    }
    accept =
      way === 'later'
        ? ''
        : await prompts.text({
            message: 'Why is that acceptable',
            otherwise: '',
            wrong: (reason) => (reason === '' ? 'An acceptance needs a reason.' : undefined),
          });
    await take({ accept });
    return permissions;
  }
}

async function askWay(writes: readonly string[], prompts: Prompts): Promise<'later' | 'accept' | 'change'> {
  prompts.say(`Stripe cannot separate these writes from what it asks for: ${writes.join(', ')}.`);
  return prompts.choose({
    message: 'What about them',
    choices: [
      { value: 'later', about: 'they stand in the profile as a comment, and verify finds them until then' },
      { value: 'accept', about: 'take them knowingly, with a reason that stands in the profile' },
      { value: 'change', about: 'ask for something else' },
    ],
    otherwise: 'later',
  });
}

async function askPermissions(
  known: readonly DraftPermission[],
  around: InterviewSurroundings,
  take: Take,
): Promise<readonly DraftPermission[]> {
  const { prompts, catalog, today } = around;
  if (prompts.search !== undefined) return searchPermissions(known, around, prompts.search, take);
  const before = known.map(({ name, level }) => `${name}=${level}`);
  return readPermissions(
    await prompts.text({
      message: 'What does it need (resource=read or write; a word is looked up)',
      otherwise: (before.length === 0 ? INIT_DEFAULTS.permissions : before).join(', '),
      wrong: (answer) => wrongWithAnswer(answer, catalog, today),
    }),
  );
}

/** Stands for "nothing more" among the resources, none of which is called so. */
const DONE = 'done';

async function searchPermissions(
  known: readonly DraftPermission[],
  around: InterviewSurroundings,
  search: NonNullable<Prompts['search']>,
  take: Take,
): Promise<readonly DraftPermission[]> {
  const { prompts, catalog, today } = around;
  let permissions = known;
  for (;;) {
    const chosen = permissions.map(({ name, level }) => `${name}: ${level}`).join(', ');
    const name = await search({
      message: permissions.length === 0 ? 'What does it need?' : `What else does it need? So far ${chosen}`,
      find: (text) => [
        ...(permissions.length > 0 && ['', DONE].includes(text.trim().toLowerCase())
          ? [{ value: DONE, about: 'that is all it needs' }]
          : []),
        ...findResources(text, catalog).map((value) => ({
          value,
          get about() {
            return aboutResource(value, catalog);
          },
        })),
      ],
    });
    if (name === DONE) {
      const fault = wrongWithPermissions(permissions, catalog, today);
      if (fault === undefined) return permissions;
      prompts.say(fault);
      continue;
    }
    const others = permissions.filter((one) => one.name !== name);
    const level = await prompts.choose({
      message: `How much of ${name}`,
      choices: [
        ...levelsOf(name, catalog).map((value) => ({ value, about: aboutLevel(name, value, catalog) })),
        { value: 'none' as const, about: 'leave it out' },
      ],
      otherwise: levelsOf(name, catalog)[0] ?? 'none',
    });
    if (level === 'none') permissions = others;
    else {
      const why = await prompts.text({ message: `Why does it need to ${level} ${name}`, otherwise: '' });
      permissions = [...others, { name, level, ...(why === '' ? {} : { why }) }];
    }
    await take({ permissions: [...permissions] });
  }
}

async function askCi({ prompts }: InterviewSurroundings): Promise<CiSystem> {
  return prompts.choose({
    message: 'CI',
    choices: CI_SYSTEMS.map((value) => ({ value, about: '' })),
    otherwise: INIT_DEFAULTS.ci,
  });
}

import type { KeyauditError } from '../core/error.ts';
import type { Settings } from '../core/settings/settings.ts';
import type { Target } from '../core/target.ts';
import type { Prompts } from './prompts/prompts.ts';
import type { SecretPrompt } from './prompts/secret-prompt.ts';

/** A place to write to, with what a renderer needs to know of it. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width in columns; undefined where the output is no terminal. */
  readonly columns: number | undefined;
  readonly colour: boolean;
}

/** The options that every command takes. */
export interface GlobalOptions {
  readonly target: Target;
  readonly apiBase?: string;
  readonly format: string;
  readonly output?: string;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly live: boolean;
  /** Words such as `--target stripe` that this run was given: a command that is proposed next repeats them. */
  readonly place: readonly string[];
  /** The policy file, instead of `keyaudit.policy.yaml`. */
  readonly policy?: string;
}

/** What a settings file says of the project; without one there are the defaults. */
export interface Project {
  readonly settings?: Settings | undefined;
  /** Why nothing may be sent to the server that the settings name; undefined where that was agreed to. */
  readonly serverRefused?: KeyauditError | undefined;
  /** Where each option comes from that something other than a default gives, by its name on the command line. */
  readonly sources: Readonly<
    Record<string, { readonly value: unknown; readonly from: 'cli' | 'env' | 'file' }>
  >;
}

/**
 * The outside world as a command sees it. Only `cli/` makes one from the process; tests make their
 * own.
 */
export interface CommandContext {
  /** The folder of the project: of its settings file, else the working folder. Paths count from here. */
  readonly cwd: string;
  /** The working folder, in which commands of the user's are run. */
  readonly from: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the package lies: `profiles/` and `schema/` are beside it. */
  readonly packageRoot: string;
  readonly version: string;
  readonly globals: GlobalOptions & {
    /** Whether what dead processes left is finished, and not only named. */
    readonly cleanup: boolean;
    /** The sandbox listens nowhere. */
    readonly isPrivate?: boolean;
  };
  readonly project: Project;
  /** Results. */
  readonly stdout: Output;
  /** Takes out every secret that this run has seen. */
  readonly redact: (text: string) => string;
  /** Keeps a variable's value from other processes of this user; false where that cannot be done. */
  readonly hideVariable: (name: string) => boolean;
  /** Standard output past the redactor, for a secret that the user asked to see. */
  readonly writeUnredacted: (text: string) => void;
  /** Progress and errors. */
  readonly stderr: Output;
  readonly stdin: {
    readonly isTerminal: boolean;
    /** All of it. */
    readText(): Promise<string>;
    /** The answer to one question on the terminal; undefined at the end of input and on Ctrl-C. */
    ask(question: string): Promise<string | undefined>;
    /** Questions that are drawn; undefined where the terminal takes nothing but lines, or somebody wants them so. */
    drawnPrompts(): Promise<Prompts | undefined>;
    /** A line that is not shown while it is typed; elsewhere than on a terminal the next line. */
    readSecret(prompt: string): Promise<string>;
    /** The same for several in turn, what is typed between them never shown; to be closed. */
    openSecretPrompt(): Promise<SecretPrompt>;
  };
  readonly now: () => Date;
  /** Aborted on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** YYYY-MM-DD in UTC. */
export function today(context: Pick<CommandContext, 'now'>): string {
  return context.now().toISOString().slice(0, 10);
}

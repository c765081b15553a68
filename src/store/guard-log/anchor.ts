import { COMMAND_TIMEOUT_MS, endOf } from '../secrets/store-command.ts';

export interface AnchorOptions {
  /** Run by a shell, the checkpoint on its standard input. */
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly alarm: (text: string) => void;
}

/**
 * Hands checkpoints to something outside, so that whoever can write the log cannot take back what it said: one at a
 * time, and where the command is slower than the log the latest, which covers those before it.
 */
export class Anchor {
  readonly #options: AnchorOptions;
  #next: string | undefined;
  #running: Promise<void> | undefined;

  constructor(options: AnchorOptions) {
    this.#options = options;
  }

  /** @param jws a checkpoint as a compact JWS */
  take(jws: string): void {
    this.#next = jws;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#next !== undefined) this.take(this.#next);
    });
  }

  /** Resolved when all has been handed over. */
  async close(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    const { execa } = await import('execa');
    const { command, cwd, env, alarm } = this.#options;
    while (this.#next !== undefined) {
      const input = `${this.#next}\n`;
      this.#next = undefined;
      const run = await execa(command, {
        shell: true,
        cwd,
        input,
        env: withoutKeys(env),
        extendEnv: false,
        reject: false,
        timeout: COMMAND_TIMEOUT_MS,
        stdout: 'ignore',
        stderr: 'ignore',
      });
      if (run.exitCode !== 0) alarm(`a checkpoint of the log was not anchored (${endOf(run)})`);
    }
  }
}

/** What keeps checkpoints has no use for a Stripe key. */
function withoutKeys(env: AnchorOptions['env']): Record<string, string> {
  const rest = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(?:sk|rk|rkcs)_/.test(entry[1].trim()),
  );
  return Object.fromEntries(rest);
}

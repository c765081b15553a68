import { join } from 'node:path';
import { Catalog, type Operation } from '../core/catalog/catalog.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import type { Probe } from '../core/probe/probe.ts';
import { KeyRecords } from '../store/notes/key-records.ts';
import type { PolicyFile } from '../store/policy-file.ts';
import { ProfileLibrary } from '../store/profile-library.ts';
import { openTarget } from '../targets/open-target.ts';
import type { OpenTarget } from '../targets/target.ts';
import type { CommandContext } from './context.ts';
import { type Calibrated, readCalibrated } from './read-calibrated.ts';

/** What a run has at hand: the world as it sees it, and what it has read, each once. */
export interface Session extends CommandContext, Calibrated {
  /** The catalog as it ships. */
  readonly shippedCatalog: Catalog;
  /** The profiles that can be named from the working folder. */
  readonly library: ProfileLibrary;
  /** What is remembered of the keys that were made here. */
  readonly records: KeyRecords;
  /** The policy that holds here, if there is one; read once. @throws KeyauditError `POLICY_INVALID` */
  readonly policy: () => Promise<PolicyFile | undefined>;
  /** When this run began. */
  readonly startedAt: Date;
}

/** A session whose target is ready to be asked. */
export interface OpenSession extends Session {
  readonly target: OpenTarget;
  /** The probe of each operation for this run. */
  readonly probeFor: (operation: Operation) => Probe;
  /** The account of the secret key, asked once; undefined where it is not said. @throws KeyauditError without a key */
  readonly ownAccount: () => Promise<string | undefined>;
}

/** Opens the session of a command; offline, and without a look at any key. @throws KeyauditError `CALIBRATION_BROKEN` */
export async function openSession(context: CommandContext): Promise<Session> {
  const shippedCatalog = new Catalog(catalogData);
  const calibrated = await readCalibrated(context, shippedCatalog);
  const { catalog } = calibrated;
  let policy: Promise<PolicyFile | undefined> | undefined;
  return {
    ...context,
    startedAt: context.now(),
    ...calibrated,
    shippedCatalog,
    library: new ProfileLibrary({
      cwd: context.cwd,
      ownDir: context.project.settings?.values.profiles,
      shippedDir: join(context.packageRoot, 'profiles'),
      catalog,
    }),
    records: new KeyRecords(context.cwd, context.env),
    policy: () => {
      policy ??= import('../store/policy-file.ts').then(({ readPolicyFile }) =>
        readPolicyFile(context.cwd, context.globals.policy, catalog),
      );
      return policy;
    },
  };
}

/** Opens the target for as long as `work` takes. */
export async function withTarget<T>(session: Session, work: (open: OpenSession) => Promise<T>): Promise<T> {
  const { globals, cwd, env, shippedCatalog: catalog, project } = session;
  // With it come the parameters of all calls, which only probes need.
  const { probeMaker } = await import('./probe-maker.ts');
  if (project.serverRefused !== undefined) throw project.serverRefused;
  const target = await openTarget({ ...globals, cwd, env, catalog });
  let ownAccount: Promise<string | undefined> | undefined;
  try {
    return await work({
      ...session,
      target,
      probeFor: probeMaker(session.catalog, session.calibration),
      ownAccount: () => {
        ownAccount ??= accountBehind(target, catalog.apiVersion);
        return ownAccount;
      },
    });
  } finally {
    await target.close();
  }
}

async function accountBehind(target: OpenTarget, apiVersion: string): Promise<string | undefined> {
  const { askOwnAccount } = await import('../stripe/ask-accounts.ts');
  const key = target.secretKey();
  // It acts for the account alone that a call names.
  if (key.isOfOrganisation) return undefined;
  return askOwnAccount({ key, apiBase: target.apiBase, apiVersion });
}

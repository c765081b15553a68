import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Calibration, NO_CALIBRATION, withCalibration } from '../core/calibrate/calibration.ts';
import { type LearnedRow, learnedRows, withNames, withRemarks } from '../core/calibrate/learned-rows.ts';
import { BeyondSdk } from '../core/catalog/beyond-sdk.ts';
import { Catalog, type Operation } from '../core/catalog/catalog.ts';
import { beyondSdkRows } from '../core/catalog/data/beyond-sdk.ts';
import { catalogData } from '../core/catalog/data/catalog.ts';
import type { Probe } from '../core/probe/probe.ts';
import { KeyRecords } from '../store/notes/key-records.ts';
import { type PolicyFile, readPolicyFile } from '../store/policy-file.ts';
import { ProfileLibrary } from '../store/profile-library.ts';
import { calibrationFolder } from '../store/user-folder.ts';
import { openTarget } from '../targets/open-target.ts';
import type { OpenTarget } from '../targets/target.ts';
import { calibratedTarget } from './calibrated-target.ts';
import type { CommandContext } from './context.ts';
import { probeMaker } from './probe-maker.ts';

/** What a run has at hand: the world as it sees it, and what it has read, each once. */
export interface Session extends CommandContext {
  /** The shipped catalog, with what calibrating has shown of this target; to judge and to grant by. */
  readonly catalog: Catalog;
  /** The same with the names that refusals gave, which are hints: to look things up in, and for nothing else. */
  readonly namedCatalog: Catalog;
  /** What refusals of this target have named, beside the rows that they are about. */
  readonly learned: readonly LearnedRow[];
  /** The catalog as it ships. */
  readonly shippedCatalog: Catalog;
  /** The calls that the SDK does not have. */
  readonly beyondSdk: BeyondSdk;
  /** What calibrating has shown of this target; empty when it never was. */
  readonly calibration: Calibration;
  /** The profiles that can be named from the working folder. */
  readonly library: ProfileLibrary;
  /** What is remembered of the keys that were made here. */
  readonly records: KeyRecords;
  /** The probe of each operation for this run. */
  readonly probeFor: (operation: Operation) => Probe;
  /** The policy that holds here, if there is one; read once. @throws KeyauditError `POLICY_INVALID` */
  readonly policy: () => Promise<PolicyFile | undefined>;
  /** When this run began. */
  readonly startedAt: Date;
}

/** A session whose target is ready to be asked. */
export interface OpenSession extends Session {
  readonly target: OpenTarget;
  /** The account of the secret key, asked once; undefined where it is not said. @throws KeyauditError without a key */
  readonly ownAccount: () => Promise<string | undefined>;
}

/** Opens the session of a command; offline, and without a look at any key. @throws KeyauditError `CALIBRATION_BROKEN` */
export async function openSession(context: CommandContext): Promise<Session> {
  const shippedCatalog = new Catalog(catalogData);
  const beyondSdk = new BeyondSdk(beyondSdkRows, shippedCatalog);
  const { calibration, catalog, namedCatalog, learned } = await calibrated(
    context,
    shippedCatalog,
    beyondSdk,
  );
  let probes: ((operation: Operation) => Probe) | undefined;
  let policy: Promise<PolicyFile | undefined> | undefined;
  return {
    ...context,
    startedAt: context.now(),
    catalog,
    namedCatalog,
    learned,
    shippedCatalog,
    beyondSdk,
    calibration,
    library: new ProfileLibrary({
      cwd: context.cwd,
      ownDir: context.project.settings?.values.profiles,
      shippedDir: join(context.packageRoot, 'profiles'),
      catalog,
    }),
    records: new KeyRecords(context.cwd, context.env),
    probeFor: (operation) => {
      probes ??= probeMaker(catalog, calibration);
      return probes(operation);
    },
    policy: () => {
      policy ??= readPolicyFile(context.cwd, context.globals.policy, catalog);
      return policy;
    },
  };
}

/** Opens the target for as long as `work` takes. */
export async function withTarget<T>(session: Session, work: (open: OpenSession) => Promise<T>): Promise<T> {
  const { globals, cwd, env, shippedCatalog: catalog, project } = session;
  if (project.serverRefused !== undefined) throw project.serverRefused;
  const target = await openTarget({ ...globals, cwd, env, catalog });
  let ownAccount: Promise<string | undefined> | undefined;
  try {
    return await work({
      ...session,
      target,
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
  return askOwnAccount({ key: target.secretKey(), apiBase: target.apiBase, apiVersion });
}

type Calibrated = Pick<Session, 'calibration' | 'catalog' | 'namedCatalog' | 'learned'>;

async function calibrated(
  context: CommandContext,
  shipped: Catalog,
  beyondSdk: BeyondSdk,
): Promise<Calibrated> {
  const nothing = { calibration: NO_CALIBRATION, catalog: shipped, namedCatalog: shipped, learned: [] };
  if (!existsSync(calibrationFolder(context.env))) return nothing;
  const { readCalibratedRows, readCalibration } = await import('../store/calibration/calibration-file.ts');
  const { readNamedRefusals } = await import('../store/calibration/named-refusals-file.ts');
  const where = calibratedTarget(context.globals);
  const calibration = await readCalibration(context.env, where);
  const rows = await readCalibratedRows(context.env, where);
  const refusals = await readNamedRefusals(context.env, where);
  if (calibration.entries.size + rows.length + refusals.length === 0) return nothing;
  const learned = learnedRows([...shipped.operations, ...beyondSdk.operations], refusals, {
    apiVersion: shipped.apiVersion,
    settled: new Set(rows.map(({ operation }) => operation)),
  });
  const data = withRemarks(withCalibration(catalogData, calibration, rows), learned);
  return {
    calibration,
    catalog: new Catalog(data),
    namedCatalog: new Catalog(withNames(data, learned)),
    learned,
  };
}

// The work of action.yml. `install`: what keyaudit needs, if it is not there. `verify`: verifies, annotates, writes
// the reports and the outputs of the step.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const endings = {
  json: 'json',
  junit: 'xml',
  sarif: 'sarif',
  gitlab: 'gitlab.json',
  markdown: 'md',
  html: 'html',
};
const USAGE = 2;
const UNDETERMINED = 3;

/** What an installation needs of the environment. The keys of the step are not among it. */
const FOR_INSTALLING =
  /^(?:PATH|HOME|USERPROFILE|TMPDIR|TEMP|TMP|SystemRoot|ComSpec|APPDATA|LOCALAPPDATA|NODE_EXTRA_CA_CERTS|(?:https?|no|all)_proxy|npm_config_\w+)$/i;

class UsageError extends Error {}

const input = (name) => (process.env[`KEYAUDIT_ACTION_${name}`] ?? '').trim();
const list = (name) => input(name).split(/\s+/).filter(Boolean);

/** As keyaudit itself reads a switch. */
function isOn(name) {
  if (/^(?:true|yes|on|1)$/i.test(input(name))) return true;
  if (/^(?:false|no|off|0|)$/i.test(input(name))) return false;
  const shown = name.toLowerCase().replaceAll('_', '-');
  throw new UsageError(`The input ${shown} is "${input(name)}", which is neither true nor false.`);
}

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (error) throw error;
  return status ?? UNDETERMINED;
}

function keyaudit(args, env, options = {}) {
  return run(process.execPath, [join(root, 'bin/keyaudit.js'), ...args], { env, ...options });
}

/** Outputs of any text: the delimiter cannot stand in it. */
function output(name, value) {
  if (!process.env.GITHUB_OUTPUT) return;
  const end = `end-${randomUUID()}`;
  appendFileSync(process.env.GITHUB_OUTPUT, `${name}<<${end}\n${value}\n${end}\n`);
}

function countsOf(file) {
  const { results } = JSON.parse(readFileSync(file, 'utf8'));
  const counts = { profiles: results.length };
  for (const name of ['probes', 'passed', 'overGrants', 'underGrants', 'inconclusive', 'accepted'])
    counts[name] = results.reduce((sum, { summary }) => sum + summary[name], 0);
  counts.drift = results.reduce(
    (sum, { drift = [] }) => sum + drift.filter(({ weight }) => weight === 'fails').length,
    0,
  );
  return counts;
}

/** Whether every package that keyaudit runs with can be found from here. */
function hasPackages() {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  try {
    for (const name of Object.keys(dependencies)) import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Nothing for a package that is built and has its packages, as npm lays it; of a checkout what the lock file has, without
 * a script of any package, and our own build where there is none.
 */
function install() {
  const isBuilt = existsSync(join(root, 'dist/cli.js'));
  if (isBuilt && hasPackages()) return 0;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => FOR_INSTALLING.test(name)));
  const options = { cwd: root, env, shell: process.platform === 'win32' };
  const status = run(
    'npm',
    [
      ...(isBuilt && !existsSync(join(root, 'package-lock.json'))
        ? ['install', '--no-package-lock']
        : ['ci']),
      ...(isBuilt ? ['--omit=dev'] : []),
      ...['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    ],
    options,
  );
  return status === 0 && !isBuilt
    ? run(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, env })
    : status;
}

/** The environment of keyaudit: the step's, and the inputs as the variables that it reads. */
function environment() {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('KEYAUDIT_ACTION_'));
  return {
    ...Object.fromEntries(own),
    KEYAUDIT_TARGET: input('TARGET') || 'sandbox',
    KEYAUDIT_LIVE: String(isOn('LIVE')),
    KEYAUDIT_POLICY: input('POLICY'),
    KEYAUDIT_DEPTH: input('DEPTH'),
    KEYAUDIT_FROZEN: String(isOn('FROZEN')),
    KEYAUDIT_MIN_COVERAGE: input('MIN_COVERAGE'),
    KEYAUDIT_FORMAT: '',
    KEYAUDIT_OUTPUT: '',
  };
}

/** Keys are for the run that sends them; making keys of the sandbox takes none. */
function withoutKeys(env) {
  const keys = new Set(['STRIPE_SECRET_KEY', ...list('KEY_VARIABLES')]);
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => !keys.has(name) && !/^[a-z]+_(?:\w+_)?(?:test|live)_/.test(value),
    ),
  );
}

/** What the comment is made of: the verdict, and what the pull request changes, where its base is at hand. */
function commentFiles(folder, env) {
  const files = [`${folder}/keyaudit-comment.md`];
  const base = process.env.GITHUB_BASE_REF;
  if (!base) return files;
  const changes = `${folder}/keyaudit-changes.md`;
  const args = ['diff', '--format=markdown', `--output=${changes}`, '--', `git:origin/${base}`];
  // A checkout of one commit has no base to compare with; that is no fault, and the comment then says less.
  const status = keyaudit(args, withoutKeys(env), { stdio: 'ignore' });
  return status === 0 && existsSync(changes) ? [...files, changes] : files;
}

function verify() {
  const formats = [...new Set(list('FORMATS'))];
  const unknown = formats.filter((format) => !Object.hasOwn(endings, format));
  if (unknown.length > 0)
    throw new UsageError(`No format "${unknown.join(', ')}". Valid: ${Object.keys(endings).join(', ')}.`);
  const missing = list('KEY_VARIABLES').filter((name) => !process.env[name]);
  if (missing.length > 0)
    throw new UsageError(`No key in ${missing.join(', ')}. Give it to this step with "env:", from a secret.`);

  const env = environment();
  const named = list('PROFILES');
  const which = named.length > 0 ? ['--', ...named] : ['--all'];
  if (env.KEYAUDIT_TARGET === 'sandbox') {
    const status = keyaudit(['provision', '--quiet', ...which], withoutKeys(env));
    if (status !== 0) {
      output('ok', 'false');
      output('exit-code', String(status));
      return status;
    }
  }
  const folder = input('REPORT_FOLDER') || 'keyaudit-reports';
  mkdirSync(folder, { recursive: true });
  const reports = formats.map((format) => [format, `${folder}/keyaudit.${endings[format]}`]);
  const comment = isOn('COMMENT') ? [['markdown', `${folder}/keyaudit-comment.md`]] : [];
  const scratch = mkdtempSync(join(tmpdir(), 'keyaudit-action-'));
  try {
    const summary = join(scratch, 'keyaudit.json');
    const status = keyaudit(
      [
        ...['verify', '--format=github'],
        ...(isOn('FROZEN') ? [`--lock=${input('LOCK') || 'keyaudit.lock.yaml'}`] : []),
        ...[['json', summary], ...reports, ...comment].map(([format, file]) => `--report=${format}=${file}`),
        ...which,
      ],
      env,
    );
    output('ok', String(status === 0));
    output('exit-code', String(status));
    // Exit code 2 comes before the first probe, and a run that was killed has no report either.
    if (status === USAGE || !existsSync(summary)) return status === 0 ? UNDETERMINED : status;
    output('counts', JSON.stringify(countsOf(summary)));
    output('reports', reports.map(([, file]) => file).join('\n'));
    for (const [format, file] of reports) output(format, file);
    if (comment.length > 0) output('comment-files', commentFiles(folder, env).join('\n'));
    return status;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

// Until the work has decided better.
process.exitCode = UNDETERMINED;
try {
  process.exitCode = process.argv[2] === 'install' ? install() : verify();
} catch (error) {
  const message = error instanceof UsageError ? error.message : `The action failed: ${error.message}`;
  console.log(
    `::error title=keyaudit::${message.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')}`,
  );
  if (error instanceof UsageError) process.exitCode = USAGE;
}

// The work of action.yml: verifies, annotates, writes the reports and the outputs of the step.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const keyaudit = fileURLToPath(new URL('../bin/keyaudit.js', import.meta.url));
const endings = { json: 'json', junit: 'xml', sarif: 'sarif', markdown: 'md', html: 'html' };
const USAGE = 2;

const input = (name) => (process.env[`KEYAUDIT_ACTION_${name}`] ?? '').trim();
const list = (name) => input(name).split(/\s+/).filter(Boolean);
const isOn = (name) => /^(true|yes|on|1)$/i.test(input(name));

function run(args) {
  const { status, error } = spawnSync(process.execPath, [keyaudit, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) throw error;
  return status ?? 3;
}

function fail(message) {
  console.log(`::error title=keyaudit::${message.replace(/%/g, '%25').replace(/\r?\n/g, '%0A')}`);
  process.exitCode = USAGE;
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

function main() {
  const formats = [...new Set(list('FORMATS'))];
  const unknown = formats.filter((format) => !(format in endings));
  if (unknown.length > 0)
    return fail(`No format "${unknown.join(', ')}". Valid: ${Object.keys(endings).join(', ')}.`);
  const missing = list('KEY_VARIABLES').filter((name) => !process.env[name]);
  if (missing.length > 0)
    return fail(`No key in ${missing.join(', ')}. Give it to this step with "env:", from a secret.`);

  const target = input('TARGET') || 'sandbox';
  const named = list('PROFILES');
  const which = named.length > 0 ? named : ['--all'];
  const common = [
    ...['--target', target],
    ...(isOn('LIVE') ? ['--live'] : []),
    ...(input('POLICY') ? ['--policy', input('POLICY')] : []),
  ];
  if (target === 'sandbox') {
    const status = run(['provision', ...which, ...common, '--quiet']);
    if (status !== 0) {
      output('ok', 'false');
      output('exit-code', String(status));
      process.exitCode = status;
      return;
    }
  }
  const folder = input('REPORT_FOLDER') || 'keyaudit-reports';
  mkdirSync(folder, { recursive: true });
  const reports = formats.map((format) => [format, `${folder}/keyaudit.${endings[format]}`]);
  const scratch = mkdtempSync(join(tmpdir(), 'keyaudit-action-'));
  try {
    const summary = join(scratch, 'keyaudit.json');
    const status = run([
      'verify',
      ...which,
      ...common,
      ...['--format', 'github'],
      ...(input('DEPTH') ? ['--depth', input('DEPTH')] : []),
      ...(isOn('FROZEN') ? ['--frozen', '--lock', input('LOCK') || 'keyaudit.lock.yaml'] : []),
      ...(Number(input('MIN_COVERAGE')) > 0 ? ['--min-coverage', input('MIN_COVERAGE')] : []),
      ...[['json', summary], ...reports].flatMap(([format, file]) => ['--report', `${format}=${file}`]),
    ]);
    output('ok', String(status === 0));
    output('exit-code', String(status));
    process.exitCode = status;
    // Exit code 2 comes before the first probe, and then there is no report.
    if (status === USAGE) return;
    output('counts', JSON.stringify(countsOf(summary)));
    output('reports', reports.map(([, file]) => file).join('\n'));
    for (const [format, file] of reports) output(format, file);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

main();

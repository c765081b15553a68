import type { CiRun } from './provenance.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a CI system says of its run; each text comes from outside and counts only in its form. */
interface System {
  readonly name: string;
  /** Set, and not empty, in every job of the system. */
  readonly mark: string;
  readonly commit: string;
  readonly ref: string;
  readonly repository: (env: Environment) => string | undefined;
  readonly url: (env: Environment) => string | undefined;
}

/** From the documentation of each system on its predefined variables. */
const SYSTEMS: readonly System[] = [
  {
    name: 'GitHub Actions',
    mark: 'GITHUB_ACTIONS',
    commit: 'GITHUB_SHA',
    ref: 'GITHUB_REF_NAME',
    repository: (env) => `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}`,
    url: (env) => `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}`,
  },
  {
    name: 'GitLab CI',
    mark: 'GITLAB_CI',
    commit: 'CI_COMMIT_SHA',
    ref: 'CI_COMMIT_REF_NAME',
    repository: (env) => env.CI_PROJECT_URL,
    url: (env) => env.CI_JOB_URL,
  },
  {
    name: 'Buildkite',
    mark: 'BUILDKITE',
    commit: 'BUILDKITE_COMMIT',
    ref: 'BUILDKITE_BRANCH',
    repository: (env) => env.BUILDKITE_REPO,
    url: (env) => env.BUILDKITE_BUILD_URL,
  },
  {
    name: 'CircleCI',
    mark: 'CIRCLECI',
    commit: 'CIRCLE_SHA1',
    ref: 'CIRCLE_BRANCH',
    repository: (env) => env.CIRCLE_REPOSITORY_URL,
    url: (env) => env.CIRCLE_BUILD_URL,
  },
  {
    name: 'Azure Pipelines',
    mark: 'TF_BUILD',
    commit: 'BUILD_SOURCEVERSION',
    ref: 'BUILD_SOURCEBRANCHNAME',
    repository: (env) => env.BUILD_REPOSITORY_URI,
    url: (env) =>
      `${env.SYSTEM_COLLECTIONURI}${env.SYSTEM_TEAMPROJECT}/_build/results?buildId=${env.BUILD_BUILDID}`,
  },
  {
    name: 'Jenkins',
    mark: 'JENKINS_URL',
    commit: 'GIT_COMMIT',
    ref: 'GIT_BRANCH',
    repository: (env) => env.GIT_URL,
    url: (env) => env.BUILD_URL,
  },
];

/** The CI run that an environment belongs to; null where it is none that is known. */
export function ciRun(env: Environment): CiRun | null {
  const system = SYSTEMS.find(({ mark }) => (env[mark] ?? '') !== '');
  if (system === undefined) return null;
  const commit = env[system.commit] ?? '';
  const ref = env[system.ref] ?? '';
  return {
    system: system.name,
    commit: /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit) ? commit : null,
    ref: /^[\w./@+-]{1,255}$/.test(ref) ? ref : null,
    repository: webAddress(system.repository(env))?.replace(/\.git$/, '') ?? null,
    url: webAddress(system.url(env)) ?? null,
  };
}

/** A link that may stand in a report: `https:` or `http:`, without anybody's name or password in it. */
function webAddress(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 1000 || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol) || url.hostname === 'undefined') return undefined;
  if (url.username !== '' || url.password !== '' || url.hash !== '') return undefined;
  return url.href;
}

import { describe, expect, it } from 'vitest';
import { ciRun } from './ci-run.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SHA: SHA,
  GITHUB_REF_NAME: 'main',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'acme/pay',
  GITHUB_RUN_ID: '17',
};

describe('ciRun', () => {
  it.each<[what: string, env: Record<string, string>, run: unknown]>([
    ['a desk', { GITHUB_SHA: SHA, HOME: '/home/me' }, null],
    ['an empty mark', { GITHUB_ACTIONS: '', GITHUB_SHA: SHA }, null],
    [
      'GitHub',
      GITHUB,
      {
        system: 'GitHub Actions',
        commit: SHA,
        ref: 'main',
        repository: 'https://github.com/acme/pay',
        url: 'https://github.com/acme/pay/actions/runs/17',
      },
    ],
    [
      'GitLab',
      {
        GITLAB_CI: 'true',
        CI_COMMIT_SHA: SHA,
        CI_COMMIT_REF_NAME: 'feature/x',
        CI_PROJECT_URL: 'https://gitlab.com/acme/pay',
        CI_JOB_URL: 'https://gitlab.com/acme/pay/-/jobs/3',
      },
      {
        system: 'GitLab CI',
        commit: SHA,
        ref: 'feature/x',
        repository: 'https://gitlab.com/acme/pay',
        url: 'https://gitlab.com/acme/pay/-/jobs/3',
      },
    ],
    [
      'Jenkins, whose repository needs a login of ssh',
      { JENKINS_URL: 'https://ci.example', GIT_COMMIT: SHA, GIT_URL: 'git@example:acme/pay.git' },
      { system: 'Jenkins', commit: SHA, ref: null, repository: null, url: null },
    ],
    [
      'texts that are none of these',
      {
        ...GITHUB,
        GITHUB_SHA: 'HEAD; rm -rf',
        GITHUB_REF_NAME: '\u001b[31mred',
        GITHUB_SERVER_URL: 'javascript:alert(1)',
      },
      { system: 'GitHub Actions', commit: null, ref: null, repository: null, url: null },
    ],
    [
      'a repository with a password in its address',
      { BUILDKITE: 'true', BUILDKITE_REPO: 'https://me:secret@example.com/pay.git' },
      { system: 'Buildkite', commit: null, ref: null, repository: null, url: null },
    ],
    [
      'nothing but the mark',
      { GITHUB_ACTIONS: 'true' },
      { system: 'GitHub Actions', commit: null, ref: null, repository: null, url: null },
    ],
  ])('%s', (_what, env, run) => {
    expect(ciRun(env)).toEqual(run);
  });
});

import type { CiSystem } from './ci-system.ts';

export interface WorkflowOptions {
  /** Of keyaudit, so that a new one is taken up knowingly. */
  readonly version: string;
  /** The variables that hold the keys of the profiles. */
  readonly variables: readonly string[];
}

/** The gate as a file for a CI system, with its path. */
export function starterWorkflow(
  system: CiSystem,
  options: WorkflowOptions,
): { readonly file: string; readonly text: string } | undefined {
  switch (system) {
    case 'github':
      return { file: '.github/workflows/keyaudit.yml', text: githubWorkflow(options) };
    case 'gitlab':
      return { file: 'keyaudit.gitlab-ci.yml', text: gitlabJobs(options) };
    case 'none':
      return undefined;
  }
}

/**
 * A gate that an `init` wrote before, with further variables; undefined where somebody has changed it since. Its
 * version of keyaudit stays.
 */
export function extendedWorkflow(
  system: CiSystem,
  text: string,
  variables: readonly string[],
): string | undefined {
  const version = /npx --yes keyaudit@([\w.+-]+)/.exec(text)?.[1];
  const known = [...text.matchAll(KEYS[system])].flatMap(([, names = '']) => names.split(', '));
  if (version === undefined) return undefined;
  const withVariables = (names: readonly string[]) =>
    starterWorkflow(system, { version, variables: [...new Set(names)].sort() })?.text;
  return withVariables(known) === text ? withVariables([...known, ...variables]) : undefined;
}

/** The names of variables in a gate. */
const KEYS: Readonly<Record<CiSystem, RegExp>> = {
  github: /^ {6}(\w+): \$\{\{ secrets\.\1 \}\}$/gm,
  gitlab: /masked and protected variables: (.+)\.$/gm,
  none: /(?!)/g,
};

/** The line that gives a gate one more key, to be added by hand. */
export function lineForKey(system: Exclude<CiSystem, 'none'>, variable: string): string {
  return system === 'github' ? `${variable}: \${{ secrets.${variable} }}` : variable;
}

// Pinned by hash, so that nobody can change what runs beside the keys.
const CHECKOUT = 'actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2';
const SETUP_NODE = 'actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0';
const UPLOAD_ARTIFACT = 'actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2';
const UPLOAD_SARIF = 'github/codeql-action/upload-sarif@51f77329afa6477de8c49fc9c7046c15b9a4e79d # v3.29.5';

const REPORTS = '--report junit=keyaudit.xml --report sarif=keyaudit.sarif --report html=keyaudit.html';

function githubWorkflow({ version, variables }: WorkflowOptions): string {
  const keyaudit = `npx --yes keyaudit@${version}`;
  const keys = variables.map((name) => `      ${name}: \${{ secrets.${name} }}\n`).join('');
  return `# Made by "keyaudit init". What the keys of the agents can do is proved on every change and every morning.
name: keyaudit
on:
  pull_request:
  push:
    branches: [main]
  schedule:
    - cron: "17 5 * * *"
permissions:
  contents: read
jobs:
  # Profiles, policy and lock file: needs no key, so that it runs for forks as well.
  profiles:
    runs-on: ubuntu-latest
    steps:
      - uses: ${CHECKOUT}
      - uses: ${SETUP_NODE}
        with:
          node-version: 22
      - run: ${keyaudit} profiles lint
      - run: ${keyaudit} provision --all
      - run: ${keyaudit} verify --all --frozen --format github
  # The keys themselves, from the secrets of this repository.
  keys:
    if: github.event_name != 'pull_request'
    needs: profiles
    runs-on: ubuntu-latest
    permissions:
      contents: read
      security-events: write
    env:
${keys}    steps:
      - uses: ${CHECKOUT}
      - uses: ${SETUP_NODE}
        with:
          node-version: 22
      - run: ${keyaudit} verify --all --frozen --target stripe --format github ${REPORTS}
      - uses: ${UPLOAD_SARIF}
        if: always()
        with:
          sarif_file: keyaudit.sarif
      - uses: ${UPLOAD_ARTIFACT}
        if: always()
        with:
          name: keyaudit
          path: keyaudit.html
`;
}

function gitlabJobs({ version, variables }: WorkflowOptions): string {
  const keyaudit = `npx --yes keyaudit@${version}`;
  return `# Made by "keyaudit init". Take it up in .gitlab-ci.yml with: include: { local: keyaudit.gitlab-ci.yml }
# Profiles, policy and lock file: needs no key.
keyaudit-profiles:
  image: node:22
  script:
    - ${keyaudit} profiles lint
    - ${keyaudit} provision --all
    - ${keyaudit} verify --all --frozen --report junit=keyaudit.xml
  artifacts:
    when: always
    reports:
      junit: keyaudit.xml
# The keys themselves, from masked and protected variables: ${variables.join(', ')}.
keyaudit-keys:
  image: node:22
  needs: [keyaudit-profiles]
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script:
    - ${keyaudit} verify --all --frozen --target stripe --report junit=keyaudit.xml --report html=keyaudit.html
  artifacts:
    when: always
    paths: [keyaudit.html]
    reports:
      junit: keyaudit.xml
`;
}

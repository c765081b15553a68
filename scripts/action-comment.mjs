// The second step of action.yml: keeps one comment of a pull request up to date with the verdict, and with what the pull
// request changes of the profiles. A comment that cannot be written is a warning: the verdict is that of the first step.
import { readFileSync } from 'node:fs';

/** GitHub refuses a longer one. */
const MOST_CHARACTERS = 65_000;
const MOST_PAGES = 30;

const env = (name) => process.env[name] ?? '';

/** Tells this job's comment from every other; hidden when it is shown. */
function marker() {
  const job = `${env('GITHUB_WORKFLOW')}/${env('GITHUB_JOB')}`
    .replace(/[^\w /.-]/g, '_')
    .replaceAll('--', '__');
  return `<!-- keyaudit ${job} -->`;
}

async function api(path, options = {}) {
  const response = await fetch(`${env('GITHUB_API_URL') || 'https://api.github.com'}${path}`, {
    ...options,
    redirect: 'error',
    signal: AbortSignal.timeout(30_000),
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${env('KEYAUDIT_COMMENT_TOKEN')}`,
      'content-type': 'application/json',
      'user-agent': 'keyaudit-action',
      'x-github-api-version': '2022-11-28',
    },
  });
  if (!response.ok) throw new Error(`${options.method ?? 'GET'} ${path} answered HTTP ${response.status}`);
  return response.json();
}

/** The comment of an earlier run: this job's own, and never one that a person wrote with the same mark. */
async function earlier(issue, mark) {
  for (let page = 1; page <= MOST_PAGES; page++) {
    const comments = await api(`${issue}/comments?per_page=100&page=${page}`);
    const own = comments.find(({ body, user }) => user?.type === 'Bot' && body?.startsWith(mark));
    if (own !== undefined) return own.id;
    if (comments.length < 100) return undefined;
  }
  return undefined;
}

function bodyOf(mark, files) {
  const text = [mark, ...files.map((file) => readFileSync(file, 'utf8').trimEnd())].join('\n\n');
  if (text.length <= MOST_CHARACTERS) return text;
  const cut = text.slice(0, MOST_CHARACTERS);
  return `${cut.slice(0, cut.lastIndexOf('\n'))}\n\nCut off here; the reports of the job have all of it.`;
}

try {
  const event = JSON.parse(readFileSync(env('GITHUB_EVENT_PATH'), 'utf8'));
  const number = event.pull_request?.number;
  const files = env('KEYAUDIT_COMMENT_FILES').split('\n').filter(Boolean);
  if (Number.isInteger(number) && files.length > 0) {
    if (!/^[\w.-]+\/[\w.-]+$/.test(env('GITHUB_REPOSITORY'))) throw new Error('GITHUB_REPOSITORY names none');
    const repository = `/repos/${env('GITHUB_REPOSITORY')}`;
    const mark = marker();
    const body = JSON.stringify({ body: bodyOf(mark, files) });
    const id = await earlier(`${repository}/issues/${number}`, mark);
    if (id === undefined) await api(`${repository}/issues/${number}/comments`, { method: 'POST', body });
    else await api(`${repository}/issues/comments/${id}`, { method: 'PATCH', body });
    console.log(id === undefined ? 'The comment was written.' : 'The comment was brought up to date.');
  } else console.log('No pull request, or nothing to say in it.');
} catch (error) {
  const words = `The comment could not be written (${error.message}). It needs "permissions: pull-requests: write".`;
  console.log(
    `::warning title=keyaudit::${words.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')}`,
  );
}

// docs/report.png: the HTML report of a real run on the embedded sandbox, in which one key can do more than its profile
// says. `npm run picture`, after a change of how the report looks; a browser is taken from CHROMIUM or the path.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { chromium } from 'playwright-core';

const keyaudit = fileURLToPath(new URL('../bin/keyaudit.js', import.meta.url));
const picture = process.argv[2] ?? fileURLToPath(new URL('../docs/report.png', import.meta.url));
const browserPath =
  process.env.CHROMIUM ??
  (await execa('sh', ['-c', 'command -v chromium || command -v google-chrome'])).stdout;

/** Its key is made with the first, and verified against the second. */
const HEAD = `name: support-agent
description: Answers questions about purchases
env: STRIPE_SUPPORT_KEY
permissions:
  customers: read
  charges: read
`;
const BEFORE = `${HEAD}  payouts: write\n`;
const AFTER = `${HEAD}checks:\n  allow: [charges.list, customers.list]\n  forbid: [payouts.create]\n`;

const cwd = await mkdtemp(join(tmpdir(), 'keyaudit-picture-'));
try {
  // What was calibrated on this machine has no say.
  const run = (...args) =>
    execa('node', [keyaudit, ...args], { cwd, env: { XDG_CONFIG_HOME: cwd }, reject: false });
  await mkdir(join(cwd, 'profiles'));
  const profile = join(cwd, 'profiles', 'support-agent.yaml');
  await writeFile(profile, BEFORE);
  await run('provision', 'support-agent');
  await run('provision', '--examples');
  await writeFile(profile, AFTER);
  const { exitCode, stderr } = await run(
    ...[
      'verify',
      'support-agent',
      'analytics',
      'refund-agent',
      'payment-capture',
      '--report',
      'html=report.html',
    ],
  );
  if (exitCode !== 1) throw new Error(`verify ended with ${exitCode}, not with a finding: ${stderr}`);
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 960, height: 720 }, colorScheme: 'light' });
    await page.goto(pathToFileURL(join(cwd, 'report.html')).href);
    await page.screenshot({ path: picture });
  } finally {
    await browser.close();
  }
} finally {
  await rm(cwd, { recursive: true, force: true });
}

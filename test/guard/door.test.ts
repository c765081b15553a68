import { request } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { adminVerbs, serveAdmin } from '../../src/guard/admin/admin-server.ts';
import type { Control } from '../../src/guard/admin/control.ts';
import { temporaryFolder } from '../support/run-cli.ts';

it.each([
  ['kill', { all: true, waitMs: 0.5 }, /^waitMs: /],
  ['kill', { all: true, waitMs: -1 }, /^waitMs: /],
  ['kill', { everything: true }, /^what kill was given: .*everything/],
  ['issue', { profile: 'a', run: 'a b', key: 'k' }, /^run: /],
])("the guard's own door says of %s %j in a sentence what is wrong", async (verb, body, problem) => {
  const file = join(await temporaryFolder(), 'guard.sock');
  const verbs = adminVerbs({
    // Nothing gets so far.
    control: {} as Control,
    status: () => {
      throw new Error('not asked');
    },
  });
  const door = await serveAdmin(file, verbs);
  onTestFinished(() => door.close());
  const text = await new Promise<string>((resolve, reject) => {
    const sent = request({ socketPath: file, path: `/${verb}`, method: 'POST' }, (answer) => {
      let read = '';
      answer.on('data', (chunk) => {
        read += chunk;
      });
      answer.on('end', () => resolve(read));
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
  expect((JSON.parse(text) as { problem: string }).problem).toMatch(problem);
});

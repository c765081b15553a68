import { describe, expect, it } from 'vitest';
import {
  captured,
  finding,
  HOSTILE_TEXTS,
  stoppedResult,
  verifyReport,
  verifyResult,
} from '../../../test/support/verify-report-factory.ts';
import type { VerifyResult } from '../../core/result/verify-report.ts';
import { renderVerifyGithub } from './github.ts';

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/** Workflow commands and other lines as GitHub's runner tells them apart (actions/runner, ActionCommand.cs). */
function read(results: readonly VerifyResult[], sourcePrefix = ''): { commands: Command[]; lines: string[] } {
  const output = captured();
  renderVerifyGithub(verifyReport(results), output, { sourcePrefix });
  const commands: Command[] = [];
  const lines: string[] = [];
  for (const line of output.text.split(/\r\n|\r|\n/).filter((one) => one !== '')) {
    const parts = /^\s*::([^ :]+)(?: (.*?))?::(.*)$/su.exec(line);
    if (parts === null) {
      lines.push(line);
      continue;
    }
    const properties = Object.fromEntries(
      (parts[2] ?? '').split(',').map((property) => {
        const [name = '', ...value] = property.split('=');
        return [name, unescapeText(value.join('='))];
      }),
    );
    commands.push({ name: parts[1] ?? '', properties, data: unescapeText(parts[3] ?? '') });
  }
  return { commands, lines };
}

function unescapeText(text: string): string {
  return text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%');
}

describe('renderVerifyGithub', () => {
  it('annotates the line of the profile, the gravest first', () => {
    const { commands, lines } = read([
      stoppedResult({ profile: 'a' }),
      verifyResult({ profile: 'b', findings: [finding('accepted'), finding('inconclusive')] }),
      verifyResult({ profile: 'c', findings: [finding('under-grant')] }),
      verifyResult({ profile: 'd', findings: [finding('over-grant', { notes: ['And more.'] })] }),
    ]);
    expect(commands.map(({ name, properties }) => `${name} ${properties.title}`)).toEqual([
      'error d: over-grant charge_write',
      'error c: under-grant charge_write',
      'error a: not determined',
      'warning b: inconclusive charge_write',
      'notice b: accepted charge_write',
    ]);
    expect(commands[0]).toMatchObject({
      properties: { file: 'profiles/analytics.yaml', line: '7', col: '5' },
      data: 'A finding of kind over-grant.\nAnd more.\nWhat mends over-grant.\n  keyaudit rotate analytics',
    });
    expect(lines[0]).toMatch(/^keyaudit verify d: the key can do more than its profile says/);
    expect(lines).toHaveLength(4);
  });

  it('counts files from the root of the source, absolute paths apart', () => {
    const at = (file: string) => finding('over-grant', { location: { file, line: 1, column: 1 } });
    const { commands } = read(
      [verifyResult({ findings: [at('p.yaml'), at('/etc/p.yaml')] })],
      'services/pay/',
    );
    expect(commands.map(({ properties }) => properties.file)).toEqual(['services/pay/p.yaml', '/etc/p.yaml']);
  });

  it('says in a line of its own that all is well', () => {
    const { commands, lines } = read([verifyResult()]);
    expect(commands).toEqual([]);
    expect(lines).toEqual(['keyaudit verify analytics: as the profile says: 1 probe, 1 passed']);
  });

  it.each(HOSTILE_TEXTS)('forges no command and says it back: %j', (text) => {
    const location = { file: text, line: 1, column: 1 };
    const { commands, lines } = read([
      verifyResult({
        profile: text,
        file: text,
        findings: [finding('over-grant', { message: text, location })],
      }),
    ]);
    expect(commands).toEqual([
      {
        name: 'error',
        properties: { file: text, line: '1', col: '1', title: `${text}: over-grant charge_write` },
        data: `${text}\nWhat mends over-grant.\n  keyaudit rotate analytics`,
      },
    ]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('##[');
  });
});

import { describe, expect, it } from 'vitest';
import { sourcePath } from './source-path.ts';

const roots = {
  sourcePrefix: 'services/pay/',
  sourceRoot: '/work/repo',
  shippedFolder: '/work/repo/node_modules/keyaudit/profiles',
};

describe('sourcePath', () => {
  it.each([
    ['profiles/x.yaml', 'services/pay/profiles/x.yaml'],
    ['/work/repo/services/pay/x.yaml', 'services/pay/x.yaml'],
    ['/work/repo/node_modules/keyaudit/profiles/x.yaml', 'services/pay/profiles/x.yaml'],
    ['/work/repository/x.yaml', '/work/repository/x.yaml'],
    ['/etc/x.yaml', '/etc/x.yaml'],
    ['C:\\p\\x.yaml', 'C:\\p\\x.yaml'],
  ])('%s: %s', (file, path) => {
    expect(sourcePath(file, roots)).toBe(path);
  });

  it('knows no root where none is named', () => {
    expect(sourcePath('/usr/lib/keyaudit/profiles/x.yaml', { sourcePrefix: '' })).toBe(
      '/usr/lib/keyaudit/profiles/x.yaml',
    );
    expect(
      sourcePath('/usr/lib/keyaudit/profiles/x.yaml', {
        sourcePrefix: '',
        shippedFolder: '/usr/lib/keyaudit/profiles',
      }),
    ).toBe('profiles/x.yaml');
  });
});

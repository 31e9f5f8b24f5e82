import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');

/** The rows of the table of who can do what: who, and the tests that are named. */
const rows = (() => {
  const page = readFileSync(join(root, 'SECURITY.md'), 'utf8');
  const [, section = ''] = page.split('## Who can do what');
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => {
    const cells = line.split(' | ');
    const links = [...(cells.at(-1) ?? '').matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)];
    return [cells[0]?.slice(2) ?? '', links.map(([, title = '', file = '']) => ({ title, file }))] as const;
  });
})();

describe('every row of the threat model names tests that there are', () => {
  test('there are rows', () => {
    expect(rows.length).toBeGreaterThan(9);
  });

  test.each(rows)('%s', (_who, links) => {
    expect(links.length).toBeGreaterThan(0);
    for (const { title, file } of links) {
      const path = join(root, file);
      expect([file, existsSync(path)]).toEqual([file, true]);
      if (statSync(path).isFile())
        expect([title, readFileSync(path, 'utf8').includes(title)]).toEqual([title, true]);
    }
  });
});

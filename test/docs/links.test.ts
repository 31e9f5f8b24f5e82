import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Page, readPage } from './markdown.ts';

const root = join(import.meta.dirname, '..', '..');

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].sort();

const read = (path: string): Page => readPage(readFileSync(path, 'utf8'));

/** Why a link leads nowhere, or `undefined`. */
function problem(page: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) {
    return undefined;
  }
  const [path = '', anchor] = decodeURIComponent(target).split('#');
  const file = path === '' ? join(root, page) : resolve(root, dirname(page), path);
  if (relative(root, file).startsWith('..')) {
    return 'leads out of the repository';
  }
  if (!existsSync(file)) {
    return 'no such file';
  }
  if (anchor === undefined) {
    return undefined;
  }
  if (!statSync(file).isFile() || !file.endsWith('.md')) {
    return 'only Markdown pages have anchors';
  }
  return read(file).anchors.has(anchor) ? undefined : 'no such heading';
}

describe('every relative link leads somewhere', () => {
  test.each(pages)('%s', (page) => {
    const broken = read(join(root, page)).links.flatMap(({ target, line }) => {
      const reason = problem(page, target);
      return reason === undefined ? [] : [`${page}:${line}: ${target}: ${reason}`];
    });
    expect(broken).toEqual([]);
  });
});

describe('reading a page', () => {
  const text = [
    '# One `code` & [two](a.md)',
    'see [b](b.md "title"), ![c](c.png) and `[no](no.md)`',
    '```',
    '[no](no.md)',
    '# no',
    '```',
    '# One code & two',
    '[ref]: d.md#x',
  ].join('\n');

  test('headings have the anchors that GitHub gives them', () => {
    expect([...readPage(text).anchors]).toEqual(['one-code--two', 'one-code--two-1']);
  });

  test('links in code are none', () => {
    expect(readPage(text).links).toEqual([
      { target: 'a.md', line: 1 },
      { target: 'b.md', line: 2 },
      { target: 'c.png', line: 2 },
      { target: 'd.md#x', line: 8 },
    ]);
  });
});

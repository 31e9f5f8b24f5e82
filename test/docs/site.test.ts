import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { writePages } from '../../docs/site/build.ts';
import { deadLinks } from '../../docs/site/dead-links.ts';
import { renderMarkdown } from '../../docs/site/markdown.ts';
import { findSections } from '../../docs/site/pages.ts';
import { targetsOf } from '../../docs/site/targets.ts';
import { packageRoot } from '../../lib/function/bundle.ts';
import { own } from '../../packages/build.ts';

const sections = findSections();
const pages = new Map(sections.flatMap((section) => section.pages.map((page) => [page.file, page])));

const folder = mkdtempSync(join(tmpdir(), 'rekey-site-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('all pages', () => {
  const { repository, ...unpublished } = own;
  const dead = writePages(folder, unpublished);
  const html = (path: string): string => readFileSync(join(folder, path), 'utf8');

  test('no link of theirs leads nowhere; the reference is made by TypeDoc, after them', () => {
    expect(dead).toEqual([]);
    expect(deadLinks(folder).filter((link) => !/: (?:\.\.\/)*api\/index\.html$/.test(link))).toEqual([]);
  });

  test('each has a title of its own, and is in the navigation once', () => {
    const titles = [...pages.values()].map(({ path }) => /<title>(.*)<\/title>/.exec(html(path))?.[1]);
    expect(new Set(titles).size).toBe(pages.size);
    const navigation = /<nav class="site"[\s\S]*?<\/nav>/.exec(html('index.html'))?.[0] ?? '';
    const linked = [...navigation.matchAll(/href="([^"]*)"/g)].map(([, href]) => href);
    expect(linked.sort()).toEqual(
      [...pages.values()]
        .map(({ path }) => path)
        .concat('api/index.html')
        .sort(),
    );
    expect(navigation.match(/aria-current/g)).toHaveLength(1);
  });

  test('sections are the folders, under the names of their overviews', () => {
    expect(sections.map(({ title }) => title)).toEqual([
      'Guide',
      'Events',
      'Runbooks',
      'Secret types',
      'Project',
    ]);
    expect(sections[0]?.pages[0]?.file).toBe('README.md');
  });

  test('nothing is fetched from elsewhere, and diagrams are drawn', () => {
    for (const { path } of pages.values()) {
      expect(html(path)).not.toMatch(/(?:src|<link[^>]*href)="https?:|@import|url\('http/);
    }
    expect(html('index.html')).toMatch(/<figure[^>]*><svg role="img"/);
    expect(html('index.html')).not.toContain('language-mermaid');
    expect(existsSync(join(folder, 'docs/events/finding-raised.json'))).toBe(true);
  });
});

describe('a link of a page', () => {
  const page = pages.get('docs/runbooks/README.md');
  if (page === undefined) throw new Error('the runbooks have no overview');
  const sources = 'https://github.com/owner/name/blob/v1.0.0';
  const target = (href: string, address?: string) => targetsOf(page, pages, address)(href);

  test.each([
    ['https://example.com/a', { kind: 'link', href: 'https://example.com/a' }],
    ['#a', { kind: 'link', href: '#a' }],
    ['rotation-failed.md#a', { kind: 'link', href: 'rotation-failed.html#a' }],
    ['../../README.md', { kind: 'link', href: '../../index.html' }],
    ['../events', { kind: 'link', href: '../events/index.html' }],
    [
      '../events/finding-raised.json',
      { kind: 'copy', href: '../events/finding-raised.json', file: 'docs/events/finding-raised.json' },
    ],
    ['../../lib/index.ts#L3', { kind: 'link', href: `${sources}/lib/index.ts#L3` }],
    ['gone.md', { kind: 'dead' }],
    ['../../../elsewhere', { kind: 'dead' }],
  ])('%s', (href, expected) => {
    expect(target(href, sources)).toEqual(expected);
  });

  test('to a file of the repository is text while there is none', () => {
    expect(target('../../lib/index.ts')).toEqual({ kind: 'text' });
    const { html, dead } = renderMarkdown('[a *b*](../../lib/index.ts) [c](gone.md) [d](#e)', target);
    expect(html).toBe(
      '<p><span class="source">a <em>b</em></span> <span class="source">c</span> <a href="#e">d</a></p>\n',
    );
    expect(dead).toEqual(['gone.md']);
  });
});

test('headings have the anchors of GitHub, and HTML stays text', () => {
  const { html, headings } = renderMarkdown('# A\n## `b` & [c](d)\n## b & c\n<i>e</i>', () => ({
    kind: 'text',
  }));
  expect(headings.map(({ anchor }) => anchor)).toEqual(['b--c', 'b--c-1']);
  expect(headings[0]?.html).toBe('<code>b</code> &amp; c');
  expect(html).toContain('<h2 id="b--c-1">b &amp; c</h2>\n<p>&lt;i&gt;e&lt;/i&gt;</p>');
});

test('links of what was built are found when they lead nowhere', () => {
  const built = join(folder, 'built');
  mkdirSync(join(built, 'b'), { recursive: true });
  writeFileSync(join(built, 'a.html'), '<a href="b/c.html#d"></a><a href="#e"></a><a href="https://x"></a>');
  writeFileSync(
    join(built, 'b/c.html'),
    '<p id="d"><a href="../a.html"></a><a href="a.html"></a><img src="f">',
  );
  expect(deadLinks(built)).toEqual(['a.html: #e', 'b/c.html: a.html', 'b/c.html: f']);
});

test('the reference is refused for an export without a comment, and for a link that leads nowhere', () => {
  const options = JSON.parse(readFileSync(join(packageRoot, 'reference', 'typedoc.json'), 'utf8'));
  expect(options).toMatchObject({
    entryPoints: ['../lib/index.ts'],
    treatWarningsAsErrors: true,
    treatValidationWarningsAsErrors: true,
    validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true },
    requiredToBeDocumented: expect.arrayContaining(['Class', 'Interface', 'TypeAlias', 'Function', 'Method']),
  });
});

test('the whole check builds the site, with the reference', () => {
  const { scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  expect(scripts['docs:site']).toBe('node docs/site/build.ts');
  expect(scripts.test.split(' && ')).toContain('npm run -s docs:site');
  expect(readFileSync(join(packageRoot, '.ci', 'run'), 'utf8')).toMatch(/^npm test$/m);
});

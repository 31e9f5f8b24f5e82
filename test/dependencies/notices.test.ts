import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { currentNotices, notices, noticesFile, ownTexts, type Source } from '../../dependencies/notices.ts';

const of = (
  name: string,
  files: Readonly<Record<string, string>>,
  more: Partial<Source['manifest']> = {},
): Source => ({
  manifest: { name, version: '1.0.0', license: 'MIT', ...more },
  files: new Map(Object.entries(files)),
});
const granted = 'Copyright (c) 2013 Somebody\n\nPermission is hereby granted, free of charge';

test('the notices are those of what is in the bundles; npm run docs:notices writes them', () => {
  expect(readFileSync(noticesFile, 'utf8')).toBe(currentNotices());
});

test('a licence and a notice of a package both stand, and its README does not', () => {
  expect(
    ownTexts(of('a', { 'LICENSE.md': 'the licence', NOTICE: 'the notice', 'README.md': '# License\nMIT' })),
  ).toEqual(['the licence', 'the notice']);
});

test('without such a file the part of the README counts that is a whole licence, up to the next heading', () => {
  const readme = `# pgpass\nuse it\n\n## License\n\n${granted}\n\n## Links\nelsewhere`;
  expect(ownTexts(of('pgpass', { 'README.md': readme }))).toEqual([granted]);
  expect(ownTexts(of('pgpass', { 'README.md': `## License\n\n${granted}` }))).toEqual([granted]);
  expect(ownTexts(of('xtend', { 'README.md': '## License\n\nMIT' }))).toEqual([]);
});

test('one text of two packages stands once, with both names, whatever their line ends', () => {
  const text = notices([
    of('a', { LICENSE: `${granted}\n` }),
    of('b', { LICENSE: `${granted.replaceAll('\n', '\r\n')}` }),
  ]);
  expect(text.split(granted)).toHaveLength(2);
  expect(text).toContain('## a 1.0.0, b 1.0.0\n');
});

test('a package without a text is named with its licence, author and address', () => {
  const text = notices([
    of('a', {}, { author: { name: 'Somebody' }, repository: { url: 'git://example.com/a.git' } }),
    of('b', {}, { license: undefined }),
  ]);
  expect(text).toContain('- a 1.0.0: MIT, by Somebody, git://example.com/a.git\n');
  expect(text).toContain('- b 1.0.0: none, by its authors\n');
});

test('a text with a fence in it ends no fence', () => {
  expect(notices([of('a', { LICENSE: 'see\n```\ncode\n```' })])).toContain(
    '````text\nsee\n```\ncode\n```\n````',
  );
});

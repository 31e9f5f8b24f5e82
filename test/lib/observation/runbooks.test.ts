import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runbooks } from '../../../lib/observation/runbooks.ts';

describe('runbooks', () => {
  const folder = join(import.meta.dirname, '../../../docs/runbooks');

  test('are there for every alarm and for nothing else', () => {
    const files = readdirSync(folder).filter((file) => file !== 'README.md');
    expect(files.sort()).toEqual(
      Object.keys(runbooks)
        .map((name) => `${name}.md`)
        .sort(),
    );
  });

  test.each(Object.keys(runbooks))('%s says what is wrong, where to look and how it ends', (name) => {
    const text = readFileSync(join(folder, `${name}.md`), 'utf8');
    expect(text.match(/^## .*/gm)).toEqual(['## Description', '## Investigation', '## Resolution']);
    expect(text).toMatch(/^rekey /m);
  });
});

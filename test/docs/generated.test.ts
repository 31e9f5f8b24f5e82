import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { generate, leftovers } from '../../docs/generate.ts';

const root = join(import.meta.dirname, '..', '..');

describe('generated documentation is what the code says; `npm run docs` writes it', () => {
  test.each([...generate()])('%s', (path, content) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(content);
  });

  test('no schema is left of an event that is gone', () => {
    expect(leftovers()).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withCosts } from '../../docs/costs/table.ts';

test('the cost tables of the README follow from the templates; npm run docs:costs writes them', () => {
  const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
  expect(withCosts(readme)).toBe(readme);
}, 900_000);

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withCosts } from './table.ts';

/** Writes the cost tables into the README. It synthesizes environments of up to 1,000 secrets, which takes a minute or two. */
const readme = join(import.meta.dirname, '..', '..', 'README.md');
writeFileSync(readme, withCosts(readFileSync(readme, 'utf8')));

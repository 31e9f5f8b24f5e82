import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessMatrix, accessPage } from './matrix.ts';

/** Writes the page on who may do what. It synthesizes two environments, which takes some seconds. */
writeFileSync(join(import.meta.dirname, '..', 'access.md'), accessPage(accessMatrix()));

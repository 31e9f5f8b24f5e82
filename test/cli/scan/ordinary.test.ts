import { createReadStream } from 'node:fs';
import { relative } from 'node:path';
import { expect, test } from '@jest/globals';
import { Budget } from '../../../cli/scan/bounded.ts';
import { Bytes } from '../../../cli/scan/bytes.ts';
import { Scan } from '../../../cli/scan/look.ts';
import type { Severity } from '../../../core/policy/rule.ts';
import { usualBounds } from '../../../core/scan/bounds.ts';
import type { SecretFound } from '../../../core/scan/finding.ts';
import { packageRoot } from '../../../lib/function/bundle.ts';
import { ordinaryFiles } from './ordinary.ts';

/** Warnings of 10,000 ordinary files; docs/scan.md states what they are. */
const mostWarnings = 15;
/** Errors that another version of Python, or what is installed beside it, may bring along. */
const mostOfPython = 3;

test('of 10,000 ordinary files none is taken for a secret, and few are warned of', async () => {
  const { repository, python, packages } = ordinaryFiles();
  const scan = new Scan(new Budget(usualBounds));
  const files = [...repository, ...python, ...packages];
  for (const file of files) {
    const bytes = new Bytes(createReadStream(file, { highWaterMark: 256 * 1_024 }));
    await scan.look({ path: [relative(packageRoot, file)], bytes, file });
    await bytes.close();
  }
  const textOf = ({ rule, place, excerpt }: SecretFound) =>
    `${rule} ${place.path.join(' ')}:${place.line} ${excerpt}`;
  const of = (severity: Severity) => scan.found.filter((one) => one.severity === severity).map(textOf);
  expect(files.length).toBe(10_000);
  // Libraries of Python differ from machine to machine; all else follows from the lock file.
  const known = [
    ...of('error'),
    ...scan.notLookedInto.map(({ path, reason }) => `${path.join(' ')} ${reason}`),
  ];
  expect(known.filter((text) => !python.some((file) => text.includes(relative(packageRoot, file))))).toEqual(
    [],
  );
  expect(known.length).toBeLessThanOrEqual(mostOfPython);
  expect(of('warning').length).toBeLessThanOrEqual(mostWarnings);
});

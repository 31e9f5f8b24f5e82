import { createReadStream } from 'node:fs';
import { relative } from 'node:path';
import { expect, test } from '@jest/globals';
import { Budget } from '../../../cli/scan/bounded.ts';
import { Bytes } from '../../../cli/scan/bytes.ts';
import { Scan } from '../../../cli/scan/look.ts';
import { usualBounds } from '../../../core/scan/bounds.ts';
import { packageRoot } from '../../../lib/function/bundle.ts';
import { ordinaryFiles } from './ordinary.ts';

/** Findings in 10,000 ordinary files that may be there; docs/scan.md states their number. */
const mostFalse = 10;

test('of 10,000 ordinary files hardly one has a finding', async () => {
  const { repository, python, packages } = ordinaryFiles();
  const scan = new Scan(new Budget(usualBounds));
  const files = [...repository, ...python, ...packages];
  for (const file of files) {
    const bytes = new Bytes(createReadStream(file, { highWaterMark: 256 * 1_024 }));
    await scan.look({ path: [relative(packageRoot, file)], bytes, file });
    await bytes.close();
  }
  const found = scan.found.map(({ rule, place, excerpt }) => [rule, ...place.path, place.line, excerpt].join(' '));
  const unread = scan.notLookedInto.map(({ path, reason }) => `${path.join(' ')}: ${reason}`);
  process.stdout.write(`${JSON.stringify({ files: files.length, found, unread }, null, 1)}\n`);
  expect(files.length).toBe(10_000);
  // Of this repository itself nothing may be found: its samples are put together when tests run.
  expect([...found, ...unread].filter((text) => !/node_modules|python/.test(text))).toEqual([]);
  expect(found.length + unread.length).toBeLessThanOrEqual(mostFalse);
});

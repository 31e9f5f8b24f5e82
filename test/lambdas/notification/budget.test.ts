import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { limits } from '../../../bench/report.ts';
import { zipSize } from '../../../bench/zip-size.ts';
import { bundle } from '../../../lib/function/bundle.ts';

test('the notifier keeps to the size of a function, and leaves undici out', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rekey-budget-'));
  try {
    bundle(directory, { entry: 'notifier' });
    expect(zipSize(directory)).toBeLessThanOrEqual(limits.zipBytes);
    const importsHttp = (file: string) =>
      /from\s*"node:http"/.test(readFileSync(join(directory, file), 'utf8'));
    expect(readdirSync(directory).filter(importsHttp)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { limits } from '../../../bench/report.ts';
import { zipSize } from '../../../bench/zip-size.ts';
import { bundle } from '../../../lib/function/bundle.ts';

test.each([['fingerprint-index'], ['fingerprint-lookup']])(
  '%s keeps to its size, and leaves undici and drivers of databases out',
  (entry) => {
    const directory = mkdtempSync(join(tmpdir(), 'rekey-budget-'));
    try {
      const { inputs } = bundle(directory, { entry });
      expect(zipSize(directory)).toBeLessThanOrEqual(limits.zipBytes);
      const drivers = Object.keys(inputs).filter((path) => /node_modules\/(?:pg|mysql2|@redis)\//.test(path));
      expect(drivers).toEqual([]);
      const importsHttp = (file: string) =>
        /from\s*"node:http"/.test(readFileSync(join(directory, file), 'utf8'));
      expect(readdirSync(directory).filter(importsHttp)).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

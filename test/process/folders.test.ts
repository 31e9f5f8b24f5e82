import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makePrivate } from '../../local/process/folders.ts';

describe('a folder that another user of the machine made first, or could write, is not used', () => {
  let place: string;
  let folder: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'rekey-folders-'));
    folder = join(place, 'servers');
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  test('one of its own is for its owner alone, and is taken again', async () => {
    expect(await makePrivate(folder)).toBe(folder);
    expect(lstatSync(folder).mode & 0o777).toBe(0o700);
    expect(await makePrivate(folder)).toBe(folder);
  });

  test('a link to elsewhere is refused', async () => {
    mkdirSync(join(place, 'elsewhere'));
    symlinkSync(join(place, 'elsewhere'), folder);
    await expect(makePrivate(folder)).rejects.toThrow('is not a folder that only its owner');
  });

  test.each([0o777, 0o770, 0o702])('one with mode %o is refused', async (mode) => {
    mkdirSync(folder);
    chmodSync(folder, mode);
    await expect(makePrivate(folder)).rejects.toThrow('remove it, then try again');
  });

  const isRoot = process.getuid?.() === 0;
  (isRoot ? test : test.skip)('one of another owner is refused, even to root', async () => {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 65_534, 65_534);
    await expect(makePrivate(folder)).rejects.toThrow('user 0');
  });
});

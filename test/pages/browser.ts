import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Finds the browser: the one that `REKEY_CHROMIUM` names, or the first on the path. */
function program(): string {
  const { REKEY_CHROMIUM: named, PATH = '' } = process.env;
  const found =
    named ??
    PATH.split(delimiter)
      .flatMap((folder) => names.map((name) => join(folder, name)))
      .find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error('no Chromium is installed: apt-get install chromium, or set REKEY_CHROMIUM');
  }
  return found;
}

/** Starts a browser that has no network. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: program(),
    args: [
      // Chromium refuses its sandbox to root, as which containers run; the pages are the tests' own.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--host-resolver-rules=MAP * ~NOTFOUND',
    ],
  });

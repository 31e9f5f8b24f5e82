import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { packageRoot } from '../../lib/function/bundle.ts';
import { own } from '../../packages/build.ts';
import { deadLinks } from './dead-links.ts';
import { layOut } from './layout.ts';
import { renderMarkdown } from './markdown.ts';
import { findSections } from './pages.ts';
import { writeReference } from './reference.ts';
import { targetsOf } from './targets.ts';

/** Folder that the site is built into, ready for any server of static files. */
const siteFolder = join(packageRoot, '.rekey', 'site');

/** Names the address of the files at the released version, or nothing while they are nowhere that others can read. */
function sourcesOf({ repository, version }: typeof own): string | undefined {
  const address = repository?.url.replace(/^git\+|\.git$/g, '');
  return address === undefined ? undefined : `${address}/blob/v${version}`;
}

/**
 * Writes all pages but the reference into a folder, and copies what they show.
 * @returns links of the Markdown that lead nowhere, with their page
 */
export function writePages(folder: string, manifest: typeof own = own): string[] {
  const sections = findSections();
  const pages = new Map(sections.flatMap((section) => section.pages.map((page) => [page.file, page])));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('style.css', readFileSync(join(import.meta.dirname, 'style.css'), 'utf8'));
  const sources = sourcesOf(manifest);
  return [...pages.values()].flatMap((page) => {
    const { html, headings, copies, dead } = renderMarkdown(page.text, targetsOf(page, pages, sources));
    write(page.path, layOut(page, html, headings, { sections, version: manifest.version }));
    for (const file of copies) cpSync(join(packageRoot, file), join(folder, file));
    return dead.map((link) => `${page.file}: ${link}`);
  });
}

/** Has the pages of the reference link to the documentation. TypeDoc writes one address into pages of all depths. */
function linkBack(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.html')) continue;
    const path = join(folder, name);
    const home = relative(dirname(path), join(folder, '..', 'index.html'));
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replaceAll('href="rekey:documentation"', `href="${home}"`),
    );
  }
}

if (import.meta.main) {
  rmSync(siteFolder, { recursive: true, force: true });
  const reference = join(siteFolder, 'api');
  const documented = writeReference(reference, sourcesOf(own));
  const dead = writePages(siteFolder);
  if (documented) {
    linkBack(reference);
    dead.push(...deadLinks(siteFolder));
  }
  for (const link of dead) process.stderr.write(`leads nowhere: ${link}\n`);
  if (documented && dead.length === 0)
    process.stdout.write(`${relative(packageRoot, siteFolder)}/index.html\n`);
  else process.exitCode = 1;
}

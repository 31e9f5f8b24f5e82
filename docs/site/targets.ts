import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path/posix';
import { packageRoot } from '../../lib/function/bundle.ts';
import type { Page } from './pages.ts';

/** The place that a link of the Markdown leads to. */
export type Target =
  | { readonly kind: 'link'; readonly href: string }
  /** A file of the checkout that the site shows as it is. */
  | { readonly kind: 'copy'; readonly href: string; readonly file: string }
  /** A file that is nowhere that readers could open it. */
  | { readonly kind: 'text' }
  | { readonly kind: 'dead' };

/**
 * Finds out where the links of a page lead on the site. Schemas are copied; other files that are no pages are in the repository.
 * @param pages - all pages, by their file
 * @param sources - address of the files in the repository, where there is one
 */
export function targetsOf(
  page: Page,
  pages: ReadonlyMap<string, Page>,
  sources: string | undefined,
): (href: string) => Target {
  return (href) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(href) || href.startsWith('#')) return { kind: 'link', href };
    const [path = '', anchor] = href.split('#');
    const file = join(dirname(page.file), decodeURIComponent(path)).replace(/\/$/, '');
    const behind = anchor === undefined ? '' : `#${anchor}`;
    const onSite = (to: string) => `${relative(dirname(page.path), to)}${behind}`;
    const other = pages.get(file) ?? pages.get(join(file, 'README.md'));
    if (other !== undefined) return { kind: 'link', href: onSite(other.path) };
    if (file.startsWith('..') || !existsSync(join(packageRoot, file))) return { kind: 'dead' };
    if (/^docs\/.*\.json$/.test(file)) return { kind: 'copy', href: onSite(file), file };
    return sources === undefined ? { kind: 'text' } : { kind: 'link', href: `${sources}/${file}${behind}` };
  };
}

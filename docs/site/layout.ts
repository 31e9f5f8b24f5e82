import { dirname, relative } from 'node:path/posix';
import type { Heading } from './markdown.ts';
import type { Page, Section } from './pages.ts';

/** The parts that every page of the site shows. */
export interface Frame {
  readonly sections: readonly Section[];
  readonly version: string;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Lists the sections, of which the page's own is open. */
function navigation(page: Page, { sections }: Frame, to: (path: string) => string): string {
  const items = (pages: readonly Page[]) =>
    pages.map((other) => {
      const current = other === page ? ' aria-current="page"' : '';
      const title = other.file === 'README.md' ? 'Overview' : other.title;
      return `<li><a href="${to(other.path)}"${current}>${escaped(title)}</a></li>`;
    });
  const folders = sections.map(({ title, pages }) => {
    const open = title === 'Guide' || pages.includes(page) ? ' open' : '';
    return `<details${open}><summary>${escaped(title)}</summary><ul>\n${items(pages).join('\n')}\n</ul></details>`;
  });
  const reference = `<p><a href="${to('api/index.html')}">Reference of the constructs</a></p>`;
  return [...folders.slice(0, -1), reference, ...folders.slice(-1)].join('\n');
}

/** Lists the sections of the page itself, where there are enough of them. */
function contents(headings: readonly Heading[]): string {
  const listed = headings.filter(({ level }) => level === 2);
  if (listed.length < 3) return '';
  const items = listed.map(({ anchor, html }) => `<li><a href="#${anchor}">${html}</a></li>`);
  return `<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>\n${items.join('\n')}\n</ul></nav>`;
}

/** Writes the whole document of a page around its content. */
export function layOut(page: Page, content: string, headings: readonly Heading[], frame: Frame): string {
  const to = (path: string): string => relative(dirname(page.path), path);
  const title = page.file === 'README.md' ? page.title : `${page.title} · Rekey`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="${to('style.css')}">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header><a href="${to('index.html')}">Rekey</a><input type="checkbox" id="menu"><label for="menu">Menu</label></header>
<nav class="site" aria-label="Documentation">
${navigation(page, frame, to)}
</nav>
<main id="content">
${content}<footer>Rekey ${escaped(frame.version)}, Apache-2.0</footer>
</main>
${contents(headings)}
</body>
</html>
`;
}

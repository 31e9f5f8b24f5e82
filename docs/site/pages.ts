import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path/posix';
import { packageRoot } from '../../lib/function/bundle.ts';

/** A page of the documentation. */
export interface Page {
  /** Its Markdown, relative to the checkout. */
  readonly file: string;
  /** Its HTML, relative to the site. */
  readonly path: string;
  readonly title: string;
  readonly text: string;
}

/** Pages of one folder, as the navigation shows them. */
export interface Section {
  readonly title: string;
  readonly pages: readonly Page[];
}

const pathOf = (file: string): string =>
  file.replace(/(?:^|(?<=\/))README\.md$/, 'index.html').replace(/\.md$/, '.html');

function readPage(file: string): Page {
  const text = readFileSync(join(packageRoot, file), 'utf8');
  const title = /^# (.+)$/m.exec(text)?.[1];
  if (title === undefined) throw new Error(`${file}: has no title`);
  return { file, path: pathOf(file), title: title.replaceAll('`', ''), text };
}

const isOverview = ({ file }: Page): boolean => file.endsWith('README.md');

/** Sorts pages as the README comes upon them; those that it does not name come last, by their title. */
function inReadingOrder(pages: readonly Page[], readme: string): Page[] {
  const place = (page: Page): number => {
    const found = readme.indexOf(`](${page.file}`);
    if (isOverview(page)) return -1;
    return found === -1 ? Number.POSITIVE_INFINITY : found;
  };
  return [...pages].sort(
    (one, other) =>
      (place(one) === place(other) ? 0 : place(one) - place(other)) || one.title.localeCompare(other.title),
  );
}

/** Names a folder by the title of its overview, or by its own name. */
function titleOf(folder: string, pages: readonly Page[]): string {
  const name = relative('docs', folder).replaceAll('-', ' ');
  return pages.find(isOverview)?.title ?? `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

/** Finds all pages, in sections. First comes the README with what is in `docs/` itself, then each folder, then the rest of the root. */
export function findSections(): Section[] {
  const readme = readPage('README.md');
  const documents = readdirSync(join(packageRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => readPage(join('docs', name)));
  const section = (folder: string) => documents.filter(({ file }) => dirname(file) === folder);
  const folders = [...new Set(documents.map(({ file }) => dirname(file)))]
    .filter((folder) => folder !== 'docs')
    .sort();
  const others = readdirSync(packageRoot)
    .filter((name) => name.endsWith('.md') && name !== readme.file)
    .map(readPage);
  const sorted = (pages: readonly Page[]) => inReadingOrder(pages, readme.text);
  return [
    { title: 'Guide', pages: sorted([readme, ...section('docs')]) },
    ...folders.map((folder) => ({ title: titleOf(folder, section(folder)), pages: sorted(section(folder)) })),
    { title: 'Project', pages: sorted(others) },
  ];
}

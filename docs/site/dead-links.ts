import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

interface Document {
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly string[];
}

const decode = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');

function readDocument(path: string): Document {
  const text = readFileSync(path, 'utf8');
  const values = (attributes: string) =>
    [...text.matchAll(new RegExp(`\\s(?:${attributes})="([^"]*)"`, 'g'))].map(([, value = '']) =>
      decode(value),
    );
  return { anchors: new Set(values('id|name')), links: values('href|src') };
}

/** Finds the dead links of a built site, the reference included: their file, or their anchor in it, is missing. */
export function deadLinks(folder: string): string[] {
  const documents = new Map<string, Document>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (/\.(?:html|svg)$/.test(name)) documents.set(name, readDocument(join(folder, name)));
  }
  const leads = (from: string, link: string): boolean => {
    const [path = '', anchor = ''] = link.split('#').map(decodeURIComponent);
    const to = path === '' ? from : relative('.', join(dirname(from), path));
    if (statSync(join(folder, to), { throwIfNoEntry: false })?.isFile() !== true) return false;
    return anchor === '' || documents.get(to)?.anchors.has(anchor) === true;
  };
  return [...documents].flatMap(([from, { links }]) =>
    links
      .filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link) && !leads(from, link))
      .map((link) => `${from}: ${link}`),
  );
}

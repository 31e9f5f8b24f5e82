import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../lib/function/bundle.ts';

/** Pages for whoever works on Rekey itself. */
const own = new Set([
  'add-a-secret-type.md',
  'architecture.md',
  'performance.md',
  'releases.md',
  'testing.md',
]);

/** Takes links out of a page that lead to what the package does not have, and leaves their text. */
const withoutOthers = (page: string, text: string, shipped: ReadonlySet<string>): string =>
  text.replaceAll(/!?\[((?:`[^`]*`|[^[\]`])*)\]\(([^()\s]+)\)/g, (link, label: string, target: string) => {
    const [path = ''] = target.split('#');
    const inside = path === '' || target.includes(':') || shipped.has(join(dirname(page), path));
    return inside ? link : label;
  });

/** Copies the pages that whoever uses the constructs needs, and the schemas of the events, into a package's `docs`. */
export function copyDocuments(folder: string): void {
  const documents = join(packageRoot, 'docs');
  const shipped = new Set(
    readdirSync(documents, { recursive: true, encoding: 'utf8' }).filter(
      (file) => /\.(?:md|json)$/.test(file) && !own.has(file),
    ),
  );
  for (const file of shipped) {
    const to = join(folder, 'docs', file);
    mkdirSync(dirname(to), { recursive: true });
    if (file.endsWith('.json')) cpSync(join(documents, file), to);
    else writeFileSync(to, withoutOthers(file, readFileSync(join(documents, file), 'utf8'), shipped));
  }
}

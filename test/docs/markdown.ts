import { anchorOf } from '../../docs/site/anchors.ts';

/** What a link test needs of a page. */
export interface Page {
  /** Anchors that a link may end in, without `#`. */
  readonly anchors: ReadonlySet<string>;
  /** Targets of links and images, with the line that they stand in. */
  readonly links: readonly { readonly target: string; readonly line: number }[];
}

/** Reads headings and links of a Markdown page; what stands in code is neither. */
export function readPage(text: string): Page {
  const anchors = new Set<string>();
  const links: { target: string; line: number }[] = [];
  let fence: string | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const marker = /^\s*(`{3,}|~{3,})/.exec(raw)?.[1];
    if (fence === undefined ? marker !== undefined : marker?.startsWith(fence) === true) {
      fence = fence === undefined ? marker : undefined;
      continue;
    }
    if (fence !== undefined) {
      continue;
    }
    const heading = /^#{1,6}\s+(.+?)\s*#*$/.exec(raw)?.[1];
    if (heading !== undefined) {
      anchorOf(heading, anchors);
    }
    for (const [, id] of raw.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) {
      anchors.add(id ?? '');
    }
    const line = raw.replace(/(`+)(?!`).*?(?<!`)\1(?!`)/g, '');
    const inline = line.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g);
    const reference = line.matchAll(/^\s*\[[^\]]+\]:\s*<?(\S+?)>?\s*$/g);
    for (const [, target = ''] of [...inline, ...reference]) {
      links.push({ target, line: index + 1 });
    }
  }
  return { anchors, links };
}

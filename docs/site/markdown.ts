import MarkdownIt from 'markdown-it';
import { anchorOf } from './anchors.ts';
import { drawDiagram } from './diagrams.ts';
import type { Target } from './targets.ts';

/** A heading below the title. */
export interface Heading {
  readonly level: number;
  readonly anchor: string;
  /** As HTML. */
  readonly html: string;
}

/** A page's Markdown as HTML, with what was found in it. */
export interface Rendered {
  readonly html: string;
  readonly headings: readonly Heading[];
  /** Files that links lead to, to be copied. */
  readonly copies: readonly string[];
  /** Links that lead nowhere, as they are written. */
  readonly dead: readonly string[];
}

const markdown = new MarkdownIt({ html: false, linkify: true });
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
markdown.renderer.rules.table_open = () => '<div class="wide" tabindex="0"><table>\n';
markdown.renderer.rules.table_close = () => '</table></div>\n';
const plainFence = markdown.renderer.rules.fence;
markdown.renderer.rules.fence = (tokens, index, ...rest) => {
  const token = tokens[index];
  return token?.info.trim() === 'mermaid'
    ? `<figure class="wide" tabindex="0">${drawDiagram(token.content)}</figure>\n`
    : (plainFence?.(tokens, index, ...rest) ?? '');
};

/** Renders a page. Links go where `targetOf` says; one to a file that nobody can open is shown as text. */
export function renderMarkdown(text: string, targetOf: (href: string) => Target): Rendered {
  const tokens = markdown.parse(text, {});
  const anchors = new Set<string>();
  const headings: Heading[] = [];
  const copies: string[] = [];
  const dead: string[] = [];
  for (const [index, token] of tokens.entries()) {
    const inline = tokens[index + 1];
    if (token.type === 'heading_open' && inline !== undefined) {
      const anchor = anchorOf(inline.content, anchors);
      token.attrSet('id', anchor);
      const level = Number(token.tag.slice(1));
      const words = (inline.children ?? []).filter(({ type }) => !type.startsWith('link_'));
      const html = markdown.renderer.renderInline(words, markdown.options, {});
      if (level > 1) headings.push({ level, anchor, html });
    }
    const open: boolean[] = [];
    for (const child of token.children ?? []) {
      if (child.type === 'link_open') {
        const href = String(child.attrGet('href'));
        const target = targetOf(href);
        if (target.kind === 'dead') dead.push(href);
        if (target.kind === 'copy') copies.push(target.file);
        const linked = 'href' in target;
        open.push(linked);
        if (linked) child.attrSet('href', target.href);
        else Object.assign(child, { tag: 'span', attrs: [['class', 'source']] });
      } else if (child.type === 'link_close' && open.pop() === false) {
        child.tag = 'span';
      }
    }
  }
  return { html: markdown.renderer.render(tokens, markdown.options, {}), headings, copies, dead };
}

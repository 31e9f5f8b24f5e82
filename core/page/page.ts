import { createHash } from 'node:crypto';
import { type Content, Html, html } from './html.ts';
import { stylesheet } from './style.ts';

/** A whole page. */
export interface Page {
  readonly title: string;
  /** Line above the title that says what kind of page it is. */
  readonly kicker: string;
  readonly lead?: Content;
  readonly content: Content;
  /** Line at the end that says what the page was made from, and when. */
  readonly footer: Content;
}

/**
 * Permits the kit's own stylesheet alone. Scripts, images and requests are refused.
 * @see https://www.w3.org/TR/CSP3/#meta-element
 */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(stylesheet).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/**
 * Writes a page that stands alone in one file. It needs no script and no other file.
 *
 * @example
 * writePage({ title: 'INC-7', kicker: 'Incident', content: html`<p>…</p>`, footer: 'Made by rekey' });
 */
export const writePage = ({ title, kicker, lead, content, footer }: Page): string =>
  `<!doctype html>\n${html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title} · ${kicker}</title>
${Html.stylesheet(stylesheet)}
</head>
<body>
<div class="page">
<header class="top">
<p class="kicker">${kicker}</p>
<h1><bdi>${title}</bdi></h1>
${lead !== undefined && html`<div class="lead">${lead}</div>`}
</header>
<main>
${content}
</main>
<footer>${footer}</footer>
</div>
</body>
</html>
`}`;

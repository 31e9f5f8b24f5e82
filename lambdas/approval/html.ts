import { createHash } from 'node:crypto';
import { Html, html } from '../../core/page/html.ts';

/** Rows of a page: a name, and what was given for it, as it was given. */
export type Rows = readonly (readonly [string, string])[];

/** The content of a page. Every text is escaped when the page is written. */
export interface Page {
  readonly title: string;
  readonly text: string;
  readonly rows?: Rows;
  /** Fields of the form that decides. @default - the page has no button */
  readonly form?: { readonly token: string; readonly nonce: string };
}

const style = `
:root { color-scheme: light dark; --ink: #1a1d21; --paper: #fff; --line: #d5d9de; --quiet: #545c66; --yes: #17683a; --no: #a3221b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --paper: #14171a; --line: #363c43; --quiet: #a2abb5; --yes: #2a8551; --no: #c4413a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 2rem 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.5rem; margin: 1.5rem 0; padding: 1.25rem 0; border: solid var(--line); border-width: 1px 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
label { display: block; color: var(--quiet); }
textarea { width: 100%; margin: .25rem 0 1rem; padding: .5rem .75rem; min-height: 5rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--quiet); border-radius: .375rem; }
button { font: inherit; font-weight: 600; color: #fff; border: 0; border-radius: .375rem; padding: .625rem 1.25rem; margin: 0 .75rem .75rem 0; cursor: pointer; }
button[value=granted] { background: var(--yes); }
button[value=refused] { background: var(--no); }
:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px; }
@media (max-width: 30rem) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .75rem; }
  button { width: 100%; margin-right: 0; }
}
`;

/** Headers of every page: nothing is loaded, kept, framed or told to where somebody goes from here. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow',
  'strict-transport-security': 'max-age=63072000',
};

/** Writes a page: all in one, without a script. */
export function pageHtml({ title, text, rows = [], form }: Page): string {
  const list = rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`);
  const decide =
    form !== undefined &&
    html`<form method="post"><input type="hidden" name="token" value="${form.token}"><input type="hidden" name="nonce" value="${form.nonce}"><label for="reason">Why (for the audit log; no secret in it)</label><textarea id="reason" name="reason" maxlength="1024"></textarea><button name="outcome" value="granted">Approve</button><button name="outcome" value="refused">Refuse</button></form>`;
  return `${html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>${Html.stylesheet(style)}</head><body><main><h1>${title}</h1><p>${text}</p>${list.length > 0 && html`<dl>${list}</dl>`}${decide}</main></body></html>`}`;
}

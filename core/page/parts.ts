import { type Content, type Html, html } from './html.ts';

/** Tones of what a page says. Each has a sign, so that no meaning hangs on a colour. */
const signs = { good: '✓', warn: '!', bad: '✕', plain: '·' } as const;
export type PageTone = keyof typeof signs;

/** Writes a word with its sign, in the tone's colours. */
export const badge = (tone: PageTone, text: string): Html =>
  html`<span class="badge ${tone}"><span aria-hidden="true">${signs[tone]}</span> ${text}</span>`;

/** Writes a name or another text from outside. It keeps to its own direction, and turns nothing around it. */
export const nameText = (text: string): Html => html`<bdi>${text}</bdi>`;

/** Writes an id, a path or a hash. */
export const code = (text: string): Html => html`<bdi class="mono">${text}</bdi>`;

/** Writes a time in UTC, to the second: `2026-03-01 12:00:05 UTC`. */
export function timeText(ms: number): Html {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}

/** Writes a section with a heading. */
export const section = (heading: string, content: Content): Html =>
  html`<section><h2>${heading}</h2>
${content}</section>`;

/** Writes a few numbers that matter most. */
export const figures = (
  items: readonly { readonly label: string; readonly value: string; readonly note?: string }[],
): Html =>
  html`<dl class="figures">${items.map(
    ({ label, value, note }) =>
      html`<div class="figure"><dt>${label}</dt><dd>${value}</dd>${note !== undefined && html`<dd class="note">${note}</dd>`}</div>`,
  )}</dl>`;

/** Writes a list of points that a reader must not miss. */
export const callout = (tone: PageTone, heading: string, points: readonly Content[]): Html =>
  html`<section class="callout ${tone}"><h2><span aria-hidden="true">${signs[tone]}</span> ${heading}</h2>
${points.length > 0 && html`<ul>${points.map((point) => html`<li>${point}</li>`)}</ul>`}</section>`;

/** Writes names and values below each other. */
export const facts = (items: readonly (readonly [string, Content])[]): Html =>
  html`<dl class="facts">${items.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;

/** A column of a table. */
export interface Column {
  readonly heading: string;
  /** True for numbers, which end at the same place. @default false */
  readonly number?: boolean;
}

/**
 * Writes a table. On a narrow screen each row becomes a card, and stays a row for those who hear it.
 * @param rows - a cell for each column; undefined where there is nothing to say
 */
export const table = (
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Content[])[],
): Html =>
  html`<table class="cards" role="table"><caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(
    ({ heading, number }) =>
      html`<th scope="col" role="columnheader" class="${number === true && 'number'}">${heading}</th>`,
  )}</tr></thead>
<tbody role="rowgroup">${rows.map(
    (row) => html`<tr role="row">${columns.map((column, index) => cell(column, row[index]))}</tr>\n`,
  )}</tbody></table>`;

const cell = ({ heading, number }: Column, content: Content): Html => {
  const kind = [number === true ? 'number' : '', content === undefined ? 'empty' : ''].join(' ').trim();
  return html`<td role="cell" class="${kind}" data-label="${heading}"><div>${content}</div></td>`;
};

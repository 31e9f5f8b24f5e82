import { type Content, type Html, html } from './html.ts';

/** Shapes of marks; each stands for one thing, so that none hangs on a colour. */
const shapes = {
  square: 'M-5.5-5.5h11v11h-11z',
  circle: 'M0-6a6 6 0 1 0 .01 0z',
  diamond: 'M0-7.5 7.5 0 0 7.5-7.5 0z',
  triangle: 'M0-7 7 6H-7z',
  bar: 'M-2-8h4V8h-4z',
} as const;
export type Shape = keyof typeof shapes;

/** A mark on a lane. */
export interface Mark {
  readonly at: number;
  readonly shape: Shape;
  /** Words for it, which a reader sees when the pointer is on it. */
  readonly title: string;
  /** True for a mark that is drawn hollow: it did not come out as it should. @default false */
  readonly hollow?: boolean;
}

/** A stretch of time on a lane. `exposed` is drawn high, `calm` as a thin line. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly kind: 'exposed' | 'calm';
}

/** A lane of a picture: a name, and what happened in it. */
export interface Lane {
  readonly name: Content;
  /** The lane in words, for those who do not see it. */
  readonly words: string;
  readonly spans?: readonly Span[];
  readonly marks: readonly Mark[];
}

/** The scale of a picture, and the texts at its begin, middle and end. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly label: (at: number) => string;
}

/** A line of the legend. */
export interface Key {
  readonly text: string;
  readonly shape?: Shape;
  readonly hollow?: boolean;
  readonly span?: Span['kind'];
}

const percent = (value: number): string => `${Math.round(value * 10_000) / 100}%`;

/**
 * Draws lanes over one scale of time, as SVG that grows with the page. Places are in percent and sizes in pixels, so that texts stay
 * as large on a telephone as on paper.
 */
export function lanes(rows: readonly Lane[], scale: Scale, legend: readonly Key[]): Html {
  const length = Math.max(1, scale.to - scale.from);
  const place = (at: number): number => Math.min(1, Math.max(0, (at - scale.from) / length));
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (part) => html`<line class="grid" x1="${percent(part)}" x2="${percent(part)}" y1="0" y2="100%"/>`,
  );
  return html`<figure class="lanes">
${rows.map(
  ({ name, words, spans = [], marks }) => html`<div class="lane"><div class="lane-name">${name}</div>
<div class="track"><svg role="img" aria-label="${words}">${grid}${spans.map((span) => drawSpan(span, place))}${marks.map((mark) => drawMark(mark, place))}</svg></div></div>
`,
)}<div class="lane axis"><div class="lane-name"></div><div class="track"><svg role="img" aria-label="Scale: ${scale.label(scale.from)} to ${scale.label(scale.to)}">
<text class="tick" x="0%" y="14" text-anchor="start">${scale.label(scale.from)}</text>
<text class="tick" x="50%" y="14" text-anchor="middle">${scale.label(scale.from + length / 2)}</text>
<text class="tick" x="100%" y="14" text-anchor="end">${scale.label(scale.from + length)}</text></svg></div></div>
<figcaption><ul class="legend">${legend.map(
    ({ text, shape, hollow, span }) =>
      html`<li><svg aria-hidden="true">${span !== undefined && drawKey(span)}${shape !== undefined && drawShape(shape, '50%', hollow === true)}</svg>${text}</li>`,
  )}</ul></figcaption></figure>`;
}

const heights = { exposed: { y: 7, height: 12 }, calm: { y: 11, height: 4 } } as const;

function drawSpan({ from, to, kind }: Span, place: (at: number) => number): Html {
  const { y, height } = heights[kind];
  // A stretch too short to be seen still has a pixel or so.
  const width = Math.max(place(to) - place(from), 0.002);
  return html`<rect class="${kind}" x="${percent(place(from))}" width="${percent(width)}" y="${y}" height="${height}"/>`;
}

const drawKey = (kind: Span['kind']): Html =>
  html`<rect class="${kind}" x="0" width="22" y="${kind === 'exposed' ? 2 : 6}" height="${heights[kind].height}"/>`;

const drawMark = ({ at, shape, title, hollow }: Mark, place: (at: number) => number): Html =>
  html`<svg class="at" x="${percent(place(at))}" y="13" width="1" height="1" overflow="visible"><title>${title}</title><path class="${hollow === true ? 'mark off' : 'mark'}" d="${shapes[shape]}"/></svg>`;

const drawShape = (shape: Shape, x: string, hollow: boolean): Html =>
  html`<svg x="${x}" y="8" width="1" height="1" overflow="visible"><path class="${hollow ? 'mark off' : 'mark'}" d="${shapes[shape]}"/></svg>`;

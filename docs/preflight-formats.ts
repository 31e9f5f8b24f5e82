import { manifestFinders } from '../core/preflight/formats/index.ts';
import { figuresOf, type Judged, judgeCorpus } from '../test/core/preflight/corpus.ts';

/** Writes precision and recall by format, counted on the corpus. */
export function formatFigures(): string {
  const judged = judgeCorpus();
  const rows = manifestFinders.map(({ format, title }) =>
    row(
      title,
      judged.filter((one) => one.format === format),
    ),
  );
  return [
    '| format | manifests | found | missed | wrongly found | precision | recall | held back: manifests | precision | recall |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    row('**all**', judged),
  ].join('\n');
}

function row(title: string, judged: readonly Judged[]): string {
  const { manifests, found, missed, wrong } = figuresOf(judged);
  const held = figuresOf(judged.filter((one) => one.held));
  return `| ${[title, manifests, found, missed, wrong, ...shares(found, missed, wrong), held.manifests, ...shares(held.found, held.missed, held.wrong)].join(' | ')} |`;
}

const shares = (
  found: number,
  missed: number,
  wrong: number,
): readonly [precision: string, recall: string] => [
  share(found, found + wrong),
  share(found, found + missed),
];

/** Writes a share in percent, rounded down so that 100 % means all. */
const share = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${Math.floor((part / whole) * 1_000) / 10} %`;

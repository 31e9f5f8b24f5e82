import { describe, expect, test } from '@jest/globals';
import { manifestFinders } from '../../../core/preflight/formats/index.ts';
import { figuresOf, type Judged, judgeCorpus } from './corpus.ts';

const judged = judgeCorpus();
const open = judged.filter(({ held }) => !held);
const heldBack = judged.filter(({ held }) => held);

const nothingElse = (one: Judged): object => ({
  missed: one.missed,
  wrong: one.wrong,
  misread: one.misread,
  problems: one.problems.toSorted(),
});
const asLabelled = (one: Judged): object => ({
  missed: [],
  wrong: [],
  misread: [],
  problems: one.expectedProblems.toSorted(),
});

describe('each manifest of the corpus is read as whoever labelled it read it', () => {
  test.each(open.map((one) => [`${one.format}: ${one.file}`, one] as const))('%s', (_, one) => {
    expect(nothingElse(one)).toEqual(asLabelled(one));
  });
});

describe('manifests that nobody looked at while the finders were made', () => {
  test('are a third of the corpus', () => {
    expect(heldBack.length / judged.length).toBeGreaterThanOrEqual(0.3);
  });

  test('are read as well as the page says', () => {
    const { missed, wrong } = figuresOf(heldBack);
    expect({ missed, wrong, misread: heldBack.flatMap((one) => one.misread) }).toEqual({
      missed: 0,
      wrong: 0,
      misread: [],
    });
  });
});

test('the corpus has at least 60 manifests, and some of every format', () => {
  expect(judged.length).toBeGreaterThanOrEqual(60);
  expect(new Set(judged.map(({ format }) => format))).toEqual(
    new Set(manifestFinders.map(({ format }) => format)),
  );
});

test('no format is without a manifest in which nothing may be found', () => {
  const without = manifestFinders
    .map(({ format }) => format)
    .filter(
      (format) =>
        !judged.some((one) => one.format === format && one.found.length === 0 && one.wrong.length === 0),
    );
  expect(without).toEqual([]);
});

import { expect, test } from '@jest/globals';
import { scoreOf } from './score.ts';

const mutants = (...statuses: readonly string[]) => statuses.map((status) => ({ status }));

test('killed and timed out count for the tests, survivors and what no test reaches against them', () => {
  expect(scoreOf(mutants('Killed', 'Killed', 'Timeout', 'Survived', 'NoCoverage', 'NoCoverage'))).toEqual({
    killed: 2,
    timedOut: 1,
    survived: 1,
    uncovered: 2,
    percent: 50,
  });
});

test('a mutant that a comment disables counts as survived; what the configuration leaves out does not count', () => {
  const ignored = [
    { status: 'Ignored', statusReason: 'a static table, excluded as nothing changes' },
    { status: 'Ignored' },
    { status: 'Ignored', statusReason: 'Ignored because of excluded mutation "StringLiteral"' },
    { status: 'Ignored', statusReason: 'Static mutant (and "ignoreStatic" was enabled)' },
  ];
  expect(scoreOf([...mutants('Killed', 'Killed', 'CompileError'), ...ignored])).toEqual({
    killed: 2,
    timedOut: 0,
    survived: 2,
    uncovered: 0,
    percent: 50,
  });
});

test('where nothing could be changed nothing survived', () => {
  expect(scoreOf([]).percent).toBe(100);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { policySchema } from '../../core/iam/document.ts';
import { peopleNames } from '../../docs/access/actors.ts';
import { type Answer, accessMatrix, accessPage } from '../../docs/access/matrix.ts';

let answers: readonly Answer[];
beforeAll(() => {
  answers = accessMatrix();
});

const said = (which: (answer: Answer) => boolean) =>
  answers.filter(which).map(({ actor, attempt }) => `${actor}: ${attempt.group}: ${attempt.what}`);

test('nobody may do anything in another environment of the same account', () => {
  expect(said(({ elsewhere }) => elsewhere)).toEqual([]);
});

test('no person reads a value, and nobody does what only one may', () => {
  const values = ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'];
  expect(
    said(({ actor, attempt, own }) => own && peopleNames.includes(actor) && values.includes(attempt.action)),
  ).toEqual([]);
  for (const what of [
    'write records where nothing is',
    'say that one succeeded',
    'start the workflow past the intake',
  ]) {
    expect(said(({ attempt, own }) => own && attempt.what === what)).toHaveLength(1);
  }
  // The workflow of one secret, and that of several.
  expect(said(({ attempt, own }) => own && attempt.what === 'cut off a credential')).toHaveLength(2);
});

test('the page says what the policies say; `npm run docs:access` writes it', () => {
  const page = join(import.meta.dirname, '..', '..', 'docs', 'access.md');
  expect(readFileSync(page, 'utf8')).toBe(accessPage(answers));
});

describe('whatever is attached to the role of a person later', () => {
  const administrator = policySchema.parse({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
  });

  test('it may do what it could before, and nothing more, in either environment', () => {
    const texts = (all: readonly Answer[]) =>
      all
        .filter(({ actor, own, elsewhere }) => peopleNames.includes(actor) && (own || elsewhere))
        .map(({ actor, attempt, elsewhere }) => `${actor}: ${attempt.what}${elsewhere ? ' elsewhere' : ''}`);
    expect(texts(accessMatrix([administrator]))).toEqual(texts(answers));
  });
});

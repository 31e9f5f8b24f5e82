import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseRecipe } from '../../../rotators/http/parse-recipe.ts';
import { recipeBook } from '../../../rotators/http/recipe-book.ts';
import { recipes } from '../../../rotators/http/recipes/index.ts';
import { secretSchema } from '../../../rotators/http/schema.ts';
import { unavailableStatuses } from '../../../rotators/http/statuses.ts';

const data = JSON.parse(readFileSync(join(import.meta.dirname, 'token-service.json'), 'utf8'));
const folder = join(import.meta.dirname, '../../../rotators/http/recipes');

/** The recipe of the tests with one value changed; `path` as errors write it. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(data);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const parent = keys.reduce((at, key) => {
    at[key] ??= {};
    return at[key];
  }, copy);
  parent[last] = value;
  return copy;
}

test('every file in the folder of recipes is built in under its name, and valid', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  expect(files.map((file) => file.replace('.json', '')).toSorted()).toEqual([...recipes.names].toSorted());
  for (const name of recipes.names)
    expect(recipes.get(name)?.verifiedOn).toContain('never run against the service');
  expect(recipes.names.length).toBeGreaterThanOrEqual(8);
  expect(recipes.get('constructor')).toBeUndefined();
});

describe('a recipe is refused, and the path is named', () => {
  test.each([
    ['a secret in a path', 'test.url', 'https://{{host}}/self/{{token}}', 'test.url'],
    ['a secret in a query', 'revoke.url', 'https://{{host}}/x?token={{token}}', 'revoke.url'],
    ['an admin secret in a URL', 'create.url', 'https://{{host}}/{{admin.token}}', 'create.url'],
    [
      'a secret in the body of a request by the admin',
      'revoke.json',
      { token: '{{token}}' },
      'revoke.json.token',
    ],
    ['the admin in the test', 'test.headers', { 'x-key': '{{admin.token}}' }, 'test.headers.x-key'],
    ['a name that nobody gives a value', 'create.json', { a: { b: ['{{nothing}}'] } }, 'create.json.a.b.0'],
    ['plaintext', 'create.url', 'http://{{host}}/x', 'create.url'],
    ['a user in a URL', 'create.url', 'https://user@{{host}}/x', 'create.url'],
    ['any text as host', 'create.url', 'https://{{project}}.example/x', 'create.url'],
    ['an id as host', 'revoke.url', 'https://{{id}}/x', 'revoke.url'],
    ['no place of the value', 'create.answer', { id: '/id' }, 'create.answer'],
    ['the value as id', 'credential', { id: 'token', secret: 'token' }, 'credential.id'],
    ['a reserved key', 'parameters.masterarn', { description: 'x' }, 'parameters.masterarn'],
    [
      'a reserved key of an admin',
      'admin.fields.expiresAt',
      { description: 'x', secret: false },
      'admin.fields.expiresAt',
    ],
    ['one key twice', 'parameters.id', { description: 'x' }, 'create.answer.id'],
    ['a pattern that is none', 'parameters.project.pattern', '(', 'parameters.project.pattern'],
    ['a pointer that is none', 'test.id', 'id', 'test.id'],
    ['an unknown key', 'create.followRedirects', true, 'create'],
    ['no documentation', 'documentation', [], 'documentation'],
    ['two bodies', 'create.form', { a: 'b' }, 'create'],
    ['a list of what has neither names nor a limit', 'list.name', undefined, 'list'],
    ['more answers in a row than there is time for', 'settleAnswers', 3, 'settleAnswers'],
    ['a time of life without days', 'parameters.days.type', 'text', 'parameters.days.type'],
  ])('%s', (_name, path, value, named) => {
    expect(() => parseRecipe('mine', changed(path, value))).toThrow(`${named}: `);
    expect(() => parseRecipe('mine', changed(path, value))).toThrow('the recipe mine is not valid');
  });

  test('the recipe that is changed there is valid itself', () => {
    expect(parseRecipe('mine', data).retry).toEqual({ attempts: 3, statuses: [...unavailableStatuses] });
  });
});

describe('the JSON of a secret', () => {
  const schema = secretSchema(recipeBook({ mine: data }));
  const secret = {
    recipe: 'mine',
    host: 'a.example:8443',
    project: 'p',
    scopes: ['read'],
    id: '1',
    token: 't',
  };
  const paths = (value: object) =>
    schema.safeParse(value).error?.issues.map(({ path }) => path.join('.')) ?? 'valid';

  test('holds what the recipe says, keeps what it does not know, and takes forms that people write', () => {
    const kept = { ...secret, days: '30', id: 7, scopes: 'read, write', team: 'x', nested: { a: [null] } };
    expect(schema.parse(kept)).toEqual(kept);
  });

  test.each([
    [{ host: 'https://a.example' }, 'host'],
    [{ host: 'a.example/path' }, 'host'],
    [{ host: 'a.example@b.example' }, 'host'],
    [{ host: 'a.example#' }, 'host'],
    [{ project: 'a\nb' }, 'project'],
    [{ project: undefined }, 'project'],
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['READ'] }, 'scopes'],
    [{ days: 0 }, 'days'],
    [{ days: 366 }, 'days'],
    [{ days: '1e2' }, 'days'],
    [{ token: 5 }, 'token'],
    [{ id: undefined }, 'id'],
    [{ recipe: 'other' }, 'recipe'],
  ])('%j is refused', (change, path) => {
    expect(paths({ ...secret, ...change })).toEqual([path]);
  });

  test('an admin secret names its service instead', () => {
    expect(paths({ service: 'test-tokens', token: 't' })).toBe('valid');
    for (const expiresAt of ['2026-03-01', '2026-03-01T12:00:00Z', 1_772_366_400_000, null]) {
      expect(paths({ service: 'test-tokens', expiresAt })).toBe('valid');
    }
    for (const expiresAt of ['next year', '2026-13-01', {}, 7]) {
      expect(paths({ service: 'test-tokens', expiresAt })).toEqual(['expiresAt']);
    }
    expect(paths({ service: 'other' })).toEqual(['service']);
    expect(paths({ token: 't' })).toEqual(['recipe']);
  });
});

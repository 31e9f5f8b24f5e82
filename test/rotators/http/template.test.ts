import { expect, test } from '@jest/globals';
import { valueAt } from '../../../rotators/http/pointer.ts';
import { fillForm, fillJson, fillUrl, UrlUnfit, ValueMissing } from '../../../rotators/http/template.ts';

const values = new Map<string, never>(
  Object.entries({
    host: 'a.example:8443',
    text: `a/b?c#d&e=f%2e "{{id}}"`,
    dots: '..',
    list: ['x', 'y'],
    number: 5,
    object: { a: 1 },
    absent: undefined,
  }) as never,
);

test('values stay within the part of a URL that they stand in', () => {
  const url = fillUrl('https://{{host}}/p/{{text}}/q?s={{text}}&n={{number}}', values);
  expect([url.host, url.pathname.split('/').length, url.hash, [...url.searchParams.keys()]]).toEqual([
    ...['a.example:8443', 4, ''],
    ['s', 'n'],
  ]);
  expect(decodeURIComponent(url.pathname.split('/')[2] ?? '')).toBe(values.get('text'));
  expect(url.searchParams.get('s')).toBe(values.get('text'));
});

test.each(['https://{{host}}/a/{{dots}}/b', 'https://{{host}}/{{dots}}', 'https://x@{{host}}/'])(
  'a value that would lead elsewhere is refused: %s',
  (template) => {
    expect(() => fillUrl(template, values)).toThrow(UrlUnfit);
  },
);

test('a text that is one template alone takes the type of its value; one without a value is left out', () => {
  const template = {
    list: '{{list}}',
    number: '{{number}}',
    object: ['{{object}}'],
    mixed: '{{number}}d',
    joined: 'a {{list}}',
    text: '{{text}}',
    gone: '{{absent}}',
    fixed: [true, null],
  };
  expect(fillJson(template, values)).toEqual({
    list: ['x', 'y'],
    number: 5,
    object: [{ a: 1 }],
    mixed: '5d',
    joined: 'a x y',
    text: values.get('text'),
    fixed: [true, null],
  });
  expect(fillForm({ a: '{{text}}', b: '{{absent}}', scope: '{{list}}' }, values)).toBe(
    new URLSearchParams({ a: String(values.get('text')), scope: 'x y' }).toString(),
  );
});

test('a value that is missing is named', () => {
  expect(() => fillUrl('https://{{host}}/{{nobody}}', values)).toThrow(ValueMissing);
  expect(() => fillJson('a {{absent}}', values)).toThrow(ValueMissing);
});

test('pointers follow RFC 6901 and see no inherited properties', () => {
  const document = JSON.parse('{"a/b":{"m~n":[1,{"x":2}]},"":3,"__proto__":{"y":4}}');
  expect(['', '/a~1b/m~0n/1/x', '/', '/__proto__/y'].map((pointer) => valueAt(document, pointer))).toEqual([
    ...[document, 2, 3, 4],
  ]);
  expect(
    ['/constructor', '/toString', '/a~1b/length', '/x/y'].map((pointer) => valueAt(document, pointer)),
  ).toEqual([undefined, undefined, undefined, undefined]);
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { changeMembers, memberChanges } from '../../core/secret/json-text.ts';

describe('changeMembers', () => {
  test.each([
    [
      '{"id": 9007199254740993, "password": "old"}',
      { password: 'new' },
      '{"id": 9007199254740993, "password": "new"}',
    ],
    ['{"a":1.0,"b":-0,"c":1e400,"p":"x"}', { p: 'y' }, '{"a":1.0,"b":-0,"c":1e400,"p":"y"}'],
    ['{"10":1,"2":2,"p":"x"}', { p: 'y' }, '{"10":1,"2":2,"p":"y"}'],
    ['{"p":"x","\\u0070":"z"}', { p: 'y' }, '{"p":"y","\\u0070":"y"}'],
    ['{"__proto__":{"p":1},"p":"x"}', { p: 'y' }, '{"__proto__":{"p":1},"p":"y"}'],
    [
      '{\n  "a": {"p": "in"},\n  "p": "x"\n}\n',
      { p: 'y', q: 1 },
      '{\n  "a": {"p": "in"},\n  "p": "y",\n  "q": 1\n}\n',
    ],
    ['{"a":1, "p":"x"}', { a: undefined }, '{"p":"x"}'],
    ['{"a":1, "p":"x"}', { p: undefined }, '{"a":1}'],
    ['{ "p" : "x" }', { p: undefined, q: 2 }, '{ "q" : 2 }'],
    [' { } ', { q: 2 }, ' {"q":2 } '],
    ['{"p":"}\\"]","q":[{"p":"]"}]}', { q: null }, '{"p":"}\\"]","q":null}'],
  ])('%s with %j', (text, changes, expected) => {
    expect(changeMembers(text, changes)).toBe(expected);
  });

  test('reads a value nested deeper than a call stack', () => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    expect(changeMembers(`{"a":${deep},"p":"x"}`, { p: 'y' })).toBe(`{"a":${deep},"p":"y"}`);
  });

  test('any JSON becomes what an object would, and keeps every other byte', () => {
    const indents = fc.constantFrom(undefined, 1, 2, '\t');
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.option(fc.jsonValue(), { nil: undefined })),
        fc.array(fc.nat()),
        indents,
        (object, others, picks, indent) => {
          const text = JSON.stringify(object, undefined, indent);
          const before = JSON.parse(text) as Record<string, unknown>;
          const keys = Object.keys(before);
          const changes = { ...others };
          for (const pick of picks) {
            const key = keys[pick % Math.max(1, keys.length)];
            if (key !== undefined) changes[key] = pick % 2 === 0 ? 'changed' : undefined;
          }
          const after = changeMembers(text, changes);
          const wanted = Object.fromEntries(
            Object.entries({ ...before, ...changes }).filter(([, value]) => value !== undefined),
          );
          expect(JSON.parse(after)).toEqual(JSON.parse(JSON.stringify(wanted)));
          expect(changeMembers(text, {})).toBe(text);
          expect(changeMembers(text, memberChanges(before, before))).toBe(text);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

test('memberChanges names what differs, and what is gone', () => {
  expect(memberChanges({ a: 1, b: [1], c: 2 }, { a: 1, b: [2], d: 3 })).toEqual({
    b: [2],
    c: undefined,
    d: 3,
  });
});

import { expect, test } from '@jest/globals';
import {
  AnswerLength,
  floodError,
  floodOf,
  malformedError,
  readBy,
} from '../../../rotators/transport/flood.ts';

const where = 'user "app" at db.example:5432';

test('an answer may be as long as the limit, and each answer is counted from its beginning', () => {
  const answer = new AnswerLength(10);
  expect([6, 4, 1].map((bytes) => answer.exceeds(new Uint8Array(bytes)))).toEqual([false, false, true]);
  answer.restart();
  expect([10, 1].map((bytes) => answer.exceeds(new Uint8Array(bytes)))).toEqual([false, true]);
});

test('a server that sends too much is refused, and the error names the limit', () => {
  const error = floodOf(floodError(2 * 1024 * 1024), where);
  expect(error).toMatchObject({
    code: 'TargetRefused',
    message: `${where}: the server sends more than 2048 KiB at once, which no answer takes; nothing of it was read`,
  });
});

test('a server that does not keep to its protocol is refused', () => {
  expect(floodOf(malformedError(), where)).toMatchObject({
    code: 'TargetRefused',
    message: `${where}: the server sends what its protocol does not know; nothing of it was read`,
  });
});

test.each([[Object.assign(new Error('reset'), { code: 'ECONNRESET' })], [new Error('reset')], [undefined]])(
  'any other end of a connection is none of these: %p',
  (error) => {
    expect(floodOf(error, where)).toBeUndefined();
  },
);

test('what a driver cannot read ends its connection, and nothing is thrown', () => {
  const ends: unknown[] = [];
  const taken: string[] = [];
  const read = readBy(
    (data: string) => {
      if (data === 'nonsense') throw new RangeError('out of range');
      taken.push(data);
    },
    { destroy: (error) => ends.push(error) },
  );
  read('an answer');
  expect(ends).toEqual([]);
  read('nonsense');
  expect(taken).toEqual(['an answer']);
  expect(ends.map((error) => floodOf(error, where)?.code)).toEqual(['TargetRefused']);
});

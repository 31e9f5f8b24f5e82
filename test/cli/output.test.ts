import { expect, test } from '@jest/globals';
import { Output } from '../../cli/output.ts';

const hostile = 'a\u001b[2Jb\u009b31mc\u202ed\u2066e\u2028f\ufeffg\u200fh\u{e0001}i';

const say = (json: boolean, speak: (output: Output) => void): string => {
  const parts: string[] = [];
  const stream = { write: (part: string) => void parts.push(part), terminal: true };
  speak(new Output(stream, stream, { json, colour: false }));
  return parts.join('');
};

const obeyed = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u;

test('nothing that a terminal obeys or shows in another order is said as it is, in text or in JSON', () => {
  expect(hostile).toMatch(obeyed);
  for (const text of [
    say(false, (output) => output.line(hostile)),
    say(false, (output) => output.table([hostile], [[hostile]])),
    say(true, (output) => output.document({ [hostile]: hostile })),
    say(true, (output) => output.documentLine({ [hostile]: [hostile] })),
  ]) {
    expect(text).not.toMatch(obeyed);
  }
});

test('a JSON document keeps its value', () => {
  const value = { [hostile]: [hostile, 1, null] };
  expect(JSON.parse(say(true, (output) => output.document(value)))).toEqual(value);
});

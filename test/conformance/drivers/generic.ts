import { rotator as generic } from '../../../rotators/generic/rotator.ts';
import type { GenericSecret } from '../../../rotators/generic/schema.ts';
import type { ValueUnderTest } from '../target.ts';

/** There is no server to start: the value is all there is. */
export async function start(): Promise<ValueUnderTest<GenericSecret>> {
  const kept = { team: 'orders', nested: { kept: [1, null, 'x'] } };
  return {
    rotator: generic,
    secrets: {
      'as Secrets Manager generates it': { password: 'a first value that CloudFormation made', ...kept },
      'one key of its own': { rotates: ['apiToken'], apiToken: 'first token 1', password: 'stays', ...kept },
      'several keys': {
        rotates: ['signing-key', 'previous hop'],
        'signing-key': 'first key 0123456789',
        'previous hop': 'first hop 0123456789',
        ...kept,
      },
      'awkward names': {
        rotates: ['quote"d', 'Größe-名前-🙂', '__proto__x', '%s %I', 'x'.repeat(300)],
        'quote"d': 'first value 1',
        'Größe-名前-🙂': 'first value 2',
        __proto__x: 'first value 3',
        '%s %I': 'first value 4',
        ['x'.repeat(300)]: 'first value 5',
        ...kept,
      },
      'awkward values': {
        rotates: ['empty', 'lines', 'text', 'long'],
        empty: '',
        lines: '\ttab\r\n"newline" \\ and \u0000',
        text: 'Grüße パスワード 🙂',
        long: 'x'.repeat(50_000),
        ...kept,
      },
    },
    rotated: ({ rotates }) => rotates ?? ['password'],
  };
}

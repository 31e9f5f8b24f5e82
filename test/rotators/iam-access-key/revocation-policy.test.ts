import { describe, expect, test } from '@jest/globals';
import {
  parsePolicy,
  policyDocument,
  secondAfter,
  withCutoff,
} from '../../../rotators/iam-access-key/revocation-policy.ts';

const now = new Date('2026-03-01T12:00:00Z');
const at = (keyId: string, minutesAgo: number) => ({
  keyId,
  before: new Date(now.getTime() - minutesAgo * 60_000),
});

describe('the policy that ends sessions', () => {
  test('denies everything to sessions alone, and is read back as it was written', () => {
    const cutoffs = [at('AKIAONE', 0), at('AKIATWO', 5)];
    const document = policyDocument(cutoffs);
    expect(JSON.parse(document).Statement[0]).toEqual({
      Sid: 'LeakedAKIAONE',
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-03-01T12:00:00Z' } },
    });
    expect(parsePolicy(document)).toEqual(cutoffs);
    const longest = Array.from({ length: 3 }, (_, n) => at(`AKIA${'X'.repeat(15)}${n}`, n));
    expect(policyDocument(longest).length).toBeLessThan(570);
  });

  test('something else under its name counts as nothing', () => {
    for (const text of ['', 'no JSON', '[]', '{"Statement":{"Effect":"Allow"}}']) {
      expect(parsePolicy(text)).toEqual([]);
    }
  });

  test('moves a time forward, never back', () => {
    const one = at('AKIAONE', 10);
    expect(withCutoff([one], at('AKIAONE', 5), now)).toEqual([at('AKIAONE', 5)]);
    expect(withCutoff([one], at('AKIAONE', 20), now)).toEqual([one]);
    expect(withCutoff([one], at('AKIATWO', 20), now)).toEqual([one, at('AKIATWO', 20)]);
  });

  test('keeps the latest time and the new entry when there are too many, and forgets what cuts nothing any more', () => {
    const three = [at('A', 1), at('B', 2), at('C', 3)];
    expect(withCutoff(three, at('D', 0), now).map(({ keyId }) => keyId)).toEqual(['D', 'A', 'B']);
    expect(withCutoff(three, at('D', 9), now).map(({ keyId }) => keyId)).toEqual(['A', 'B', 'D']);
    expect(withCutoff([at('OLD', 36 * 60 + 1), ...three.slice(0, 1)], at('D', 0), now)).toEqual([
      at('D', 0),
      at('A', 1),
    ]);
  });

  test('cuts a session that was issued in the same second', () => {
    expect(secondAfter(new Date('2026-03-01T12:00:00.000Z')).toISOString()).toBe('2026-03-01T12:00:01.000Z');
    expect(secondAfter(new Date('2026-03-01T12:00:00.999Z')).toISOString()).toBe('2026-03-01T12:00:01.000Z');
  });
});

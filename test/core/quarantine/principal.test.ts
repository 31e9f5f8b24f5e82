import { describe, expect, test } from '@jest/globals';
import {
  actsAs,
  isCovered,
  partsOf,
  quarantinedArnSchema,
  quarantinePatternSchema,
} from '../../../core/quarantine/principal.ts';

const arn = (resource: string) => `arn:aws:iam::111122223333:${resource}`;

describe('a pattern of principals', () => {
  test.each(['role/app-*', 'role/app', 'role/team/app-*', 'role/*/app-*', 'role/*-worker', 'user/ci-?'])(
    '%s is taken',
    (resource) => {
      expect(quarantinePatternSchema.safeParse(arn(resource)).success).toBe(true);
    },
  );

  test.each([
    arn('role/*'),
    arn('user/*'),
    arn('role/team/*'),
    arn('role/a*'),
    arn('role/**?'),
    arn('*'),
    arn('group/app-*'),
    arn('role/app,*'),
    'arn:aws:iam::*:role/app-*',
    'app-*',
    '*',
  ])('%s is refused, since it means too many or something else', (pattern) => {
    expect(quarantinePatternSchema.safeParse(pattern).success).toBe(false);
  });

  test('takes in what IAM compares with it, and nothing of another account', () => {
    const patterns = [arn('role/app-*'), arn('user/ci')];
    expect(isCovered(arn('role/app-worker'), patterns)).toBe(true);
    expect(isCovered(arn('user/ci'), patterns)).toBe(true);
    expect(isCovered(arn('user/ci-2'), patterns)).toBe(false);
    expect(isCovered(arn('role/other/app-worker'), patterns)).toBe(false);
    expect(isCovered(arn('role/app-worker').replace('1111', '9999'), patterns)).toBe(false);
  });
});

test('a principal is a role or a user, with its path, and none of AWS itself', () => {
  for (const resource of ['role/app', 'role/team/app', 'user/ci@example.com']) {
    expect(quarantinedArnSchema.safeParse(arn(resource)).success).toBe(true);
  }
  for (const resource of [
    'role/app-*',
    'group/app',
    'root',
    'role/aws-service-role/x/y',
    'role/aws-reserved/x/y',
  ]) {
    expect(quarantinedArnSchema.safeParse(arn(resource)).success).toBe(false);
  }
  expect(partsOf(arn('role/team/app'))).toEqual({ kind: 'role', name: 'app' });
  expect(partsOf(arn('user/ci'))).toEqual({ kind: 'user', name: 'ci' });
});

test('a caller acts as its user, or as the role of its session, whatever path that has', () => {
  const session = 'arn:aws:sts::111122223333:assumed-role/app/alice';
  expect(actsAs(session, arn('role/app'))).toBe(true);
  expect(actsAs(session, arn('role/team/app'))).toBe(true);
  expect(actsAs(arn('user/ci'), arn('user/ci'))).toBe(true);
  expect(actsAs(session, arn('user/app'))).toBe(false);
  expect(actsAs(session, arn('role/app2'))).toBe(false);
  expect(actsAs(session.replace('1111', '9999'), arn('role/app'))).toBe(false);
  expect(actsAs('unknown', arn('role/app'))).toBe(false);
});

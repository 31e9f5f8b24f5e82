import { describe, expect, test } from '@jest/globals';
import { detailSchema } from '../../../core/events/catalogue.ts';
import { honeyUses } from '../../../core/signal/honey.ts';
import { takeFromBus } from '../../../lambdas/signal/from-bus.ts';
import { SignalWorld } from '../../lambdas/signal/world.ts';
import { loggedCall } from './samples.ts';

const root = {
  arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/dev/payments/root-AbCdEf',
  name: '/dev/payments/root',
  owner: 'team-security',
};
const key = {
  ...root,
  arn: root.arn.replace('root', 'deployer'),
  name: '/dev/payments/deployer',
  accessKeyId: 'AKIA2EXAMPLEHONEY001',
};
const secrets = { root, key };

describe('a use of a honey secret', () => {
  test.each([
    ['its name', { secretId: root.name }],
    ['its ARN', { secretId: root.arn }],
    ['its ARN without the suffix', { secretId: root.arn.slice(0, -7) }],
    ['a list with it', { secretIdList: ['other', root.name] }],
  ])('is a call that reads it by %s', (_what, requestParameters) => {
    expect(honeyUses(loggedCall({ requestParameters }), secrets)).toEqual([
      expect.objectContaining({ honeySecret: 'root', used: 'value', call: 'secretsmanager:GetSecretValue' }),
    ]);
  });

  test('says who, from where, with what and when', () => {
    expect(honeyUses(loggedCall({ requestParameters: { secretId: root.name } }), secrets)).toEqual([
      {
        honeySecret: 'root',
        secret: root,
        used: 'value',
        callId: 'f4a1d2c0-1111-2222-3333-444455556666',
        principal: 'arn:aws:sts::111122223333:assumed-role/web/i-0a1b2c3d',
        call: 'secretsmanager:GetSecretValue',
        sourceAddress: '198.51.100.7',
        userAgent: 'aws-cli/2.31.0',
        usedAt: '2026-11-28T11:59:00.000Z',
      },
    ]);
  });

  test('is a call that was refused as well', () => {
    const call = loggedCall({ requestParameters: { secretId: root.name }, errorCode: 'AccessDenied' });
    expect(honeyUses(call, secrets)).toEqual([expect.objectContaining({ refused: 'AccessDenied' })]);
  });

  test('is any call that its access key signs', () => {
    const call = loggedCall({
      eventSource: 'sts.amazonaws.com',
      eventName: 'GetCallerIdentity',
      userIdentity: {
        type: 'IAMUser',
        arn: 'arn:aws:iam::111122223333:user/deployer',
        accessKeyId: key.accessKeyId,
      },
      requestParameters: null,
    });
    expect(honeyUses(call, secrets)).toEqual([
      expect.objectContaining({ honeySecret: 'key', used: 'access key', call: 'sts:GetCallerIdentity' }),
    ]);
  });

  test.each([
    ['another secret', { requestParameters: { secretId: '/dev/payments/root2' } }],
    [
      'a look at what it is called',
      { eventName: 'DescribeSecret', requestParameters: { secretId: root.name } },
    ],
    [
      'the same parameter of another service',
      { eventSource: 'x.amazonaws.com', requestParameters: { secretId: root.name } },
    ],
  ])('is not %s', (_what, change) => {
    expect(honeyUses(loggedCall(change), secrets)).toEqual([]);
  });

  test('is announced once, however often it is delivered', async () => {
    const world = new SignalWorld();
    const dependencies = { ...world.dependencies(), honeySecrets: secrets };
    const call = loggedCall({ requestParameters: { secretId: root.name } });
    expect(await takeFromBus(call, dependencies)).toMatchObject({ used: 1 });
    await takeFromBus(call, dependencies);
    expect(new Set(world.recorded.map(({ detail }) => detail.metadata.id)).size).toBe(1);
    for (const { detail } of world.recorded) {
      expect(detailSchema('Honey Secret Used').safeParse(detail).error).toBeUndefined();
    }
    expect(await takeFromBus(loggedCall({ requestParameters: null }), dependencies)).toMatchObject({
      used: 0,
    });
  });
});

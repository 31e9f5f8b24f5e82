import { describe, expect, test } from '@jest/globals';
import { hashOf } from '../../../core/fingerprint/digest.ts';
import { readGitGuardian } from '../../../core/signal/gitguardian.ts';
import { readGitHub } from '../../../core/signal/github.ts';
import { readGitHubPartner } from '../../../core/signal/github-partner.ts';
import { readGitLab, revocableTypes } from '../../../core/signal/gitlab.ts';
import { guardDutyTypes, readGuardDuty } from '../../../core/signal/guardduty.ts';
import { healthCodes, readHealth } from '../../../core/signal/health.ts';
import { readSecurityHub } from '../../../core/signal/security-hub.ts';
import { linkOf, type Reading, type Signal } from '../../../core/signal/signal.ts';
import { readWebhook } from '../../../core/signal/webhook.ts';
import * as samples from './samples.ts';

const now = new Date('2026-11-28T12:00:00.000Z');
const signalsOf = (reading: Reading): readonly Signal[] => ('signals' in reading ? reading.signals : []);
const one = (reading: Reading): Signal => {
  const [signal, ...others] = signalsOf(reading);
  expect(others).toEqual([]);
  if (signal === undefined) throw new Error(`no signal: ${JSON.stringify(reading)}`);
  return signal;
};

describe('AWS Health', () => {
  test('names the access key that was found in public', () => {
    expect(one(readHealth(samples.health()))).toEqual({
      kind: 'health',
      id: 'arn:aws:health:us-east-1::event/RISK/AWS_RISK_CREDENTIALS_EXPOSED/AWS_RISK_CREDENTIALS_EXPOSED_0a1b',
      time: '2026-11-28T11:58:00.000Z',
      severity: 'critical',
      subjects: [{ accessKeyId: 'AKIA2EXAMPLEKEY00001' }],
      evidence: 'AWS_RISK_CREDENTIALS_EXPOSED, AKIA2EXAMPLEKEY00001',
    });
  });

  test.each(Object.keys(healthCodes))('%s is a signal', (code) => {
    expect(one(readHealth(samples.health({ eventTypeCode: code }))).kind).toBe('health');
  });

  test('other matters of the account are none', () => {
    const reading = readHealth(samples.health({ eventTypeCode: 'AWS_RISK_IAM_QUARANTINE' }));
    expect(reading).toEqual({ ignored: 'AWS_RISK_IAM_QUARANTINE is not about credentials' });
  });

  test('a form that AWS does not document is refused, and nothing of it quoted', () => {
    const broken = {
      ...samples.health(),
      detail: { eventArn: 7, eventTypeCode: 'hunter2-in-the-wrong-place' },
    };
    expect(() => readHealth(broken)).toThrow(expect.objectContaining({ code: 'SignalMalformed' }));
    expect(() => readHealth(broken)).not.toThrow(/hunter2/);
  });
});

describe('GuardDuty', () => {
  test('names the key that somebody else uses', () => {
    expect(one(readGuardDuty(samples.guardDuty()))).toMatchObject({
      id: '1ab92989eaf0e742df4a014d5c0a8841',
      severity: 'high',
      time: '2026-11-28T11:30:00.000Z',
      subjects: [{ accessKeyId: 'AKIA2EXAMPLEKEY00002' }],
      evidence: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller, AKIA2EXAMPLEKEY00002, user deployer',
    });
  });

  test.each([
    [9.1, 'critical'],
    [7, 'high'],
    [4, 'medium'],
    [3.9, 'low'],
  ])('severity %d is %s', (severity, rank) => {
    expect(one(readGuardDuty(samples.guardDuty({ severity }))).severity).toBe(rank);
  });

  test('the same finding, seen again, has the same id', () => {
    const later = readGuardDuty(samples.guardDuty({ updatedAt: '2026-11-28T11:59:00.000Z' }));
    expect(one(later).id).toBe(one(readGuardDuty(samples.guardDuty())).id);
  });

  test('what only tells of settings or of looking around is none', () => {
    for (const type of [
      'Policy:IAMUser/RootCredentialUsage',
      'Discovery:IAMUser/AnomalousBehavior',
      'Recon:EC2/Portscan',
    ]) {
      expect(guardDutyTypes).not.toContain(type);
      expect(readGuardDuty(samples.guardDuty({ type }))).toHaveProperty('ignored');
    }
  });
});

describe('Security Hub', () => {
  test('names keys and secrets of findings that tell of an incident', () => {
    expect(one(readSecurityHub(samples.securityHub()))).toMatchObject({
      kind: 'securityhub',
      severity: 'high',
      subjects: [
        { accessKeyId: 'AKIA2EXAMPLEKEY00003' },
        { secret: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/dev/orders-AbCdEf' },
      ],
      url: 'https://scanner.example/findings/7',
    });
  });

  test.each([
    ['a check of settings', { Types: ['Software and Configuration Checks/AWS Security Best Practices'] }],
    ['an archived finding', { RecordState: 'ARCHIVED' }],
    ['a finding that somebody has resolved', { Workflow: { Status: 'RESOLVED' } }],
    [
      'GuardDuty, which tells it itself',
      { ProductArn: 'arn:aws:securityhub:eu-central-1::product/aws/guardduty' },
    ],
    ['a finding about a bucket', { Resources: [{ Type: 'AwsS3Bucket', Id: 'arn:aws:s3:::b' }] }],
  ])('%s is none', (_what, change) => {
    expect(readSecurityHub(samples.securityHub(change))).toHaveProperty('ignored');
  });
});

describe('GitHub', () => {
  test('an alert says where, and not which value', () => {
    expect(one(readGitHub(samples.gitHub(), 'secret_scanning_alert'))).toEqual({
      kind: 'github',
      id: 'octo-org/orders #42 created 2026-11-28T11:55:00Z',
      time: '2026-11-28T11:55:00.000Z',
      severity: 'high',
      subjects: [],
      url: 'https://github.com/octo-org/orders/security/secret-scanning/42',
      evidence: 'Orders API Token, octo-org/orders, alert 42, created',
    });
  });

  test('a value that comes all the same is hashed at once', () => {
    const signal = one(readGitHub(samples.gitHub({ secret: samples.sentinel }), 'secret_scanning_alert'));
    expect(signal.subjects).toEqual([{ fingerprint: hashOf(samples.sentinel) }]);
    expect(JSON.stringify(signal)).not.toContain(samples.sentinel);
  });

  test.each([
    ['created', {}, 'high'],
    ['publicly_leaked', {}, 'critical'],
    ['validated', { validity: 'active' }, 'critical'],
  ])('%s %j is of severity %s', (action, alert, severity) => {
    expect(one(readGitHub(samples.gitHub(alert, action), 'secret_scanning_alert')).severity).toBe(severity);
  });

  test.each(['resolved', 'assigned', 'validated'])('%s tells of no new leak', (action) => {
    expect(
      readGitHub(samples.gitHub({ validity: 'inactive' }, action), 'secret_scanning_alert'),
    ).toHaveProperty('ignored');
  });

  test('other events are none', () => {
    expect(readGitHub(samples.gitHub(), 'push')).toEqual({ ignored: 'the event push is no alert' });
  });
});

describe.each([
  ['GitHub’s partner program', (body: unknown) => readGitHubPartner(body, now), samples.gitHubPartner],
  ['GitLab', (body: unknown) => readGitLab(body, now, [samples.gitLabType]), samples.gitLab],
])('%s', (_sender, read, sample) => {
  test('values are hashed at once and stand nowhere else', () => {
    const signals = signalsOf(read(sample()));
    expect(signals.flatMap(({ subjects }) => subjects)).toEqual([
      { fingerprint: hashOf(samples.sentinel) },
      { fingerprint: hashOf('another-value-42-of-somebody') },
    ]);
    expect(JSON.stringify(signals)).not.toContain(samples.sentinel);
    const hash = hashOf(samples.sentinel);
    for (const { id, evidence, url } of signals) expect(`${id} ${evidence} ${url}`).not.toContain(hash);
  });

  test('a place that quotes the value is left out', () => {
    for (const quoted of [samples.sentinel, encodeURIComponent(samples.sentinel)]) {
      const signals = signalsOf(read(sample(`https://git.example/search/${quoted}`)));
      // A part before what looks like a query is a part of the value all the same.
      expect(JSON.stringify(signals)).not.toContain(quoted.slice(0, 8));
    }
  });

  test('the id is of type and place: the same whatever the value', () => {
    expect(signalsOf(read(sample())).map(({ id }) => id)).toEqual(
      signalsOf(read(sample())).map(({ id }) => id),
    );
  });

  test('a form that is not documented is refused, and nothing of it quoted', () => {
    const read2 = () => read([{ token: samples.sentinel, type: 7 }]);
    expect(read2).toThrow(expect.objectContaining({ code: 'SignalMalformed' }));
    expect(read2).not.toThrow(new RegExp(samples.sentinel.slice(0, 8)));
  });
});

describe('GitLab', () => {
  test('is offered the types', () => {
    expect(JSON.parse(revocableTypes(['a', 'b']))).toEqual({ types: ['a', 'b'] });
  });

  test('a type that was not offered is refused', () => {
    expect(() => readGitLab(samples.gitLab(), now, ['other'])).toThrow(
      expect.objectContaining({ code: 'SignalMalformed' }),
    );
  });
});

describe('GitGuardian', () => {
  test('names detector and page', () => {
    expect(one(readGitGuardian(samples.gitGuardian(), now))).toEqual({
      kind: 'gitguardian',
      id: '3759 incident_triggered',
      time: '2026-11-28T11:59:30.000Z',
      severity: 'high',
      subjects: [],
      url: 'https://dashboard.gitguardian.com/workspace/1/incidents/3759',
      evidence: 'Generic Password, incident 3759, validity valid',
    });
  });

  test('what people do about it is none', () => {
    expect(readGitGuardian(samples.gitGuardian('incident_assigned'), now)).toHaveProperty('ignored');
  });
});

describe('a webhook of one’s own', () => {
  test('names secrets, keys and hashes', () => {
    const subjects = [
      { secret: '/dev/orders' },
      { accessKeyId: 'AKIA2EXAMPLEKEY00001' },
      { fingerprint: hashOf('x') },
    ];
    expect(one(readWebhook({ subjects, evidence: 'found in a paste' }, 'msg_1', now))).toEqual({
      kind: 'webhook',
      id: 'msg_1',
      time: now.toISOString(),
      severity: 'high',
      subjects,
      evidence: 'found in a paste',
    });
  });

  test('a value in the place of a hash is refused, and not quoted', () => {
    const send = () => readWebhook({ subjects: [{ fingerprint: samples.sentinel }] }, 'msg_1', now);
    expect(send).toThrow(expect.objectContaining({ code: 'SignalMalformed' }));
    expect(send).not.toThrow(new RegExp(samples.sentinel.slice(0, 8)));
  });
});

test('a link is kept without user, password and query', () => {
  expect(linkOf('https://u:p@git.example/a/b?token=1#L7')).toBe('https://git.example/a/b#L7');
  expect(linkOf('javascript:alert(1)')).toBeUndefined();
  expect(linkOf('http://git.example/')).toBeUndefined();
});

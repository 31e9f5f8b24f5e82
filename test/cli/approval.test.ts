import { describe, expect, test } from '@jest/globals';
import type { ApprovalSummary } from '../../core/approval/store.ts';
import { requestDigest } from '../../core/deployed/revocation-request.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { revocationRequestSchema } from '../../core/events/catalogue.ts';
import { errorOf, FakeCloud, now, rekey } from './fixture.ts';

const id = '0195a000-0000-7000-8000-000000000001';
const waiting: ApprovalSummary = {
  id,
  operation: 'revocation',
  subject: 'orders',
  act: 'replace',
  author: 'arn:aws:sts::111122223333:assumed-role/responder/alice',
  reason: 'laptop lost',
  state: 'waiting',
  requestedAt: now.toISOString(),
  expiresAt: new Date(now.getTime() + 3_600_000).toISOString(),
  onExpiry: 'refuse',
  approvers: ['bob'],
};

function cloudWithApprovals(breakGlass = true): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders');
  const facts = {
    revocation: ['replace'],
    breakGlass,
    minutes: 60,
    onExpiry: 'refuse',
    approvers: ['bob'],
    desk: 'arn:aws:lambda:eu-central-1:111122223333:function:desk',
    answers: 'arn:aws:lambda:eu-central-1:111122223333:function:answers',
  };
  cloud.environments = { dev: { ...cloud.environments.dev, approvals: JSON.stringify(facts) } };
  cloud.approvals = [waiting, { ...waiting, id: 'older', state: 'refused' }];
  return cloud;
}

describe('rekey approval', () => {
  test('lists what waits, and with --all what was answered', async () => {
    const cloud = cloudWithApprovals();
    const listed = await rekey(cloud, ['approval', 'list']);
    expect(listed.stdout).toMatch(new RegExp(`${id} +revocation, replace +orders +alice`));
    expect(listed.stdout).not.toContain('older');
    expect((await rekey(cloud, ['approval', 'list', '--all'])).stdout).toContain('older');
  });

  test('shows one request; an unknown one is wrong usage', async () => {
    const cloud = cloudWithApprovals();
    const { stdout } = await rekey(cloud, ['approval', 'show', id, '--json']);
    expect(JSON.parse(stdout)).toEqual({ environment: 'dev', ...waiting });
    const unknown = await rekey(cloud, ['approval', 'show', 'nothing', '--json']);
    expect(unknown.exitCode).toBe(2);
    expect(errorOf(unknown)).toMatchObject({ code: 'ApprovalUnknown' });
  });

  test('asks before it answers, and shows what is asked', async () => {
    const cloud = cloudWithApprovals();
    const no = await rekey(cloud, ['approval', 'approve', id], { answer: 'n' });
    expect(no.exitCode).toBe(1);
    expect(no.stderr).toContain('laptop lost');
    expect(cloud.answered).toEqual([]);
    const yes = await rekey(cloud, ['approval', 'approve', id], { answer: 'y' });
    expect(yes.exitCode).toBe(0);
    expect(cloud.answered).toEqual([{ requestId: id, outcome: 'granted' }]);
  });

  test('refuses with a reason, and not without one', async () => {
    const cloud = cloudWithApprovals();
    expect((await rekey(cloud, ['approval', 'refuse', id, '--yes'])).exitCode).toBe(2);
    expect((await rekey(cloud, ['approval', 'refuse', id, '--yes', '--reason', 'no'])).exitCode).toBe(0);
    expect(cloud.answered).toEqual([{ requestId: id, outcome: 'refused', reason: 'no' }]);
  });

  test('says why an answer does not count', async () => {
    const cloud = cloudWithApprovals();
    cloud.answerRefused = new RekeyError('ApproverIsAuthor', 'another person must');
    const refused = await rekey(cloud, ['approval', 'approve', id, '--yes', '--json']);
    expect(refused.exitCode).toBe(3);
    expect(errorOf(refused)).toMatchObject({ code: 'ApproverIsAuthor', message: 'another person must' });
  });

  test('says so where nothing needs approval', async () => {
    const none = await rekey(new FakeCloud(), ['approval', 'list', '--json']);
    expect(errorOf(none)).toMatchObject({ code: 'DeploymentIncomplete' });
  });
});

describe('rekey revoke where a second person is needed', () => {
  const argv = (mode: string, ...more: string[]) => [
    'revoke',
    'orders',
    '--mode',
    mode,
    '--reason',
    'lost',
    '--yes',
    ...more,
  ];

  test('proves the author of this very request before it is sent, and says who may answer', async () => {
    const cloud = cloudWithApprovals();
    const { stderr, stdout, exitCode } = await rekey(cloud, argv('replace'));
    expect(exitCode).toBe(0);
    const detail = cloud.published[0]?.detail;
    const digest = requestDigest(revocationRequestSchema.parse(detail?.data));
    expect(cloud.asked).toEqual([{ requestId: detail?.metadata.id, digest, before: 0 }]);
    expect(stderr).toMatch(/approval +by bob within 60 minutes/);
    expect(stderr + stdout).toContain(`rekey approval approve ${detail?.metadata.id}`);
  });

  test('proves nothing for another mode, nor with the glass broken, which the plan shows', async () => {
    const cloud = cloudWithApprovals();
    await rekey(cloud, argv('kill'));
    const broken = await rekey(cloud, argv('replace', '--break-glass'));
    expect(cloud.asked).toEqual([]);
    expect(broken.stderr).toContain('the glass is broken');
    expect(cloud.published.map(({ detail }) => detail.data)).toEqual([
      expect.not.objectContaining({ breakGlass: true }),
      expect.objectContaining({ breakGlass: true }),
    ]);
  });

  test('does not break the glass where that is forbidden', async () => {
    const cloud = cloudWithApprovals(false);
    const refused = await rekey(cloud, argv('replace', '--break-glass', '--json'));
    expect(refused.exitCode).toBe(2);
    expect(errorOf(refused)).toMatchObject({ code: 'BreakGlassForbidden' });
    expect(cloud.published).toEqual([]);
  });

  test('--wait says for whom it waits and until when, and each stage once', async () => {
    const cloud = cloudWithApprovals();
    cloud.approvals = [{ ...waiting, id: 'any' }];
    cloud.executions.set('any', { status: 'running', started: now });
    const stage = (name: string, left = true) => ({ name, entered: now, ...(left && { left: now }) });
    cloud.stages = [stage('Wait for approval'), stage('Wait for approval', false)];
    cloud.onSleep = (count) => {
      if (count < 3) return;
      cloud.stages = [stage('Wait for approval'), stage('Wait for approval'), stage('Report')];
      cloud.executions.set('any', {
        status: 'failed',
        started: now,
        stopped: now,
        error: { code: 'ApprovalRefused', message: 'approval: bob refused it' },
      });
    };
    const { stderr, stdout, exitCode } = await rekey(cloud, argv('replace', '--wait'));
    expect(exitCode).toBe(1);
    expect(stderr.match(/Waits for approval by bob, until 2026-03-10T13:00:00.000Z/g)).toHaveLength(1);
    expect(stdout).toContain('bob refused it');
    expect(stdout.match(/Wait for approval/g)).toHaveLength(1);
  });
});

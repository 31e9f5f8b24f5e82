import { describe, expect, test } from '@jest/globals';
import { detailSchema } from '../../core/events/catalogue.ts';
import { errorOf, FakeCloud, rekey } from './fixture.ts';

const settings = JSON.stringify({
  channels: {
    chat: { kind: 'slack', secret: 'notify/chat', hosts: ['hooks.slack.com'] },
    oncall: { kind: 'pagerduty', secret: 'notify/oncall', hosts: ['events.pagerduty.com'] },
  },
  bounds: {},
});

function world(notifications: string | undefined = settings): FakeCloud {
  const cloud = new FakeCloud();
  const { dev } = cloud.environments;
  cloud.environments = { dev: { ...dev, ...(notifications !== undefined && { notifications }) } };
  return cloud;
}

const published = (cloud: FakeCloud) =>
  cloud.published.map(({ detailType, detail }) => [detailType, detail.data]);

describe('rekey notify test', () => {
  test('asks for a test of all channels, and says under which id', async () => {
    const cloud = world();
    const { exitCode, stdout } = await rekey(cloud, ['notify', 'test', '--json']);
    expect(exitCode).toBe(0);
    expect(published(cloud)).toEqual([['Notification Test Requested', {}]]);
    const [event] = cloud.published;
    expect(JSON.parse(stdout)).toEqual({
      environment: 'dev',
      eventId: event?.detail.metadata.id,
      channels: ['chat', 'oncall'],
    });
  });

  test('asks for the named ones alone', async () => {
    const cloud = world();
    await rekey(cloud, ['notify', 'test', '--channel', 'oncall']);
    expect(published(cloud)).toEqual([['Notification Test Requested', { channels: ['oncall'] }]]);
  });

  test.each([
    [
      'a channel that there is not',
      ['notify', 'test', '--channel', 'mail'],
      settings,
      'UsageInvalid',
      'chat, oncall',
    ],
    ['an environment without a notifier', ['notify', 'test'], '', 'DeploymentIncomplete', 'cannot be read'],
    [
      'settings of another form',
      ['notify', 'test'],
      '{"channels":1}',
      'DeploymentIncomplete',
      'cannot be read',
    ],
  ])('refuses %s, and sends nothing', async (_what, argv, notifications, code, says) => {
    const cloud = world(notifications);
    const ran = await rekey(cloud, [...argv, '--json']);
    expect(errorOf(ran)).toMatchObject({ code, message: expect.stringContaining(says) });
    expect(cloud.published).toEqual([]);
  });
});

describe('rekey incident acknowledge', () => {
  test('records who takes the incident on, and why', async () => {
    const cloud = world();
    const { exitCode } = await rekey(cloud, ['incident', 'acknowledge', '7fb43d074f0c', '--note', 'on it']);
    expect(exitCode).toBe(0);
    expect(published(cloud)).toEqual([
      ['Incident Acknowledged', { incidentId: '7fb43d074f0c', note: 'on it' }],
    ]);
    const [event] = cloud.published;
    expect(detailSchema('Incident Acknowledged').safeParse(event?.detail).success).toBe(true);
  });

  test.each(['', '7FB43D074F0C', '7fb43d074f0', '../../x'])('refuses what is no id: %j', async (id) => {
    const cloud = world();
    const { exitCode } = await rekey(cloud, ['incident', 'acknowledge', id]);
    expect({ exitCode, published: cloud.published }).toEqual({ exitCode: 2, published: [] });
  });

  test('says that there is no notifier', async () => {
    const cloud = new FakeCloud();
    const ran = await rekey(cloud, ['incident', 'acknowledge', '7fb43d074f0c', '--json']);
    expect(errorOf(ran)).toMatchObject({
      code: 'DeploymentIncomplete',
      message: expect.stringContaining('no notifier'),
    });
  });
});

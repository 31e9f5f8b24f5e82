import { describe, expect, test } from '@jest/globals';
import { type DetailType, detailTypes } from '../../../core/events/catalogue.ts';
import type { Notice } from '../../../core/notification/notice.ts';
import { channelsFor, namedChannels } from '../../../core/notification/routing.ts';
import { isAllowedHost, notifierSettingsSchema, type Urgency } from '../../../core/notification/settings.ts';
import { isSilent } from '../../../core/notification/tellings.ts';

const channels = {
  orders: { kind: 'slack', owners: ['team-orders'], emergencies: false },
  general: { kind: 'teams' },
  oncall: { kind: 'pagerduty' },
} as const;
const settings = (more: object = {}) => notifierSettingsSchema.parse({ channels, ...more });
const notice = (urgency: Urgency, kind: DetailType = 'Secret Rotation Failed') =>
  ({ urgency, kind }) as unknown as Notice;

describe('by default', () => {
  test.each([
    ['an emergency', 'emergency', 'team-orders', ['general', 'oncall']],
    ['a warning', 'warning', 'team-orders', ['orders']],
    ['a warning of an owner without a channel', 'warning', 'team-stock', ['general']],
    ['a warning whose owner is not known', 'warning', undefined, ['general']],
    ['a success', 'information', 'team-orders', []],
  ] as const)('%s goes to its channels', (_what, urgency, owner, expected) => {
    expect(channelsFor(notice(urgency), owner, settings())).toEqual(expected);
  });

  test('an emergency goes to all channels where none is marked for emergencies', () => {
    const none = Object.fromEntries(
      Object.entries(channels).map(([name, one]) => [name, { ...one, emergencies: false }]),
    );
    expect(channelsFor(notice('emergency'), undefined, settings({ channels: none }))).toEqual([
      'orders',
      'general',
      'oncall',
    ]);
  });

  test('a warning reaches somebody even where each channel is for alerts, or for another owner', () => {
    const alone = (one: object) => settings({ channels: { it: one } });
    expect(channelsFor(notice('warning'), 'x', alone({ kind: 'pagerduty' }))).toEqual(['it']);
    expect(channelsFor(notice('warning'), 'x', alone({ kind: 'slack', owners: ['y'] }))).toEqual(['it']);
  });
});

describe('routes', () => {
  test('that match decide in the place of the default, and may silence a warning', () => {
    const routes = [
      { events: ['Secret Rotation Failed'], owners: ['team-orders'], to: ['oncall', 'orders'] },
      { owners: ['team-quiet'], to: [] },
      { urgencies: ['information'], to: ['general'] },
    ];
    const routed = settings({ routes });
    expect(channelsFor(notice('warning'), 'team-orders', routed)).toEqual(['oncall', 'orders']);
    expect(channelsFor(notice('warning'), 'team-quiet', routed)).toEqual([]);
    expect(channelsFor(notice('warning', 'Finding Raised'), 'team-orders', routed)).toEqual(['orders']);
    expect(channelsFor(notice('information'), undefined, routed)).toEqual(['general']);
  });

  test('add to an emergency, and never take from it', () => {
    const routed = settings({ routes: [{ to: [] }, { urgencies: ['emergency'], to: ['orders'] }] });
    expect(channelsFor(notice('emergency'), undefined, routed)).toEqual(['orders', 'general', 'oncall']);
  });
});

test('the word owner stands for the channels of the owner, each channel once, and a channel that is gone for none', () => {
  expect(namedChannels(['owner', 'oncall', 'orders', 'gone'], 'team-orders', settings())).toEqual([
    'orders',
    'oncall',
  ]);
});

test.each([
  ['hooks.slack.com', ['hooks.slack.com'], true],
  ['evil-hooks.slack.com', ['hooks.slack.com'], false],
  ['hooks.slack.com.evil.example', ['hooks.slack.com'], false],
  ['prod-1.logic.azure.com', ['*.logic.azure.com'], true],
  ['logic.azure.com', ['*.logic.azure.com'], false],
  ['.logic.azure.com', ['*.logic.azure.com'], false],
  ['evillogic.azure.com', ['*.logic.azure.com'], false],
] as const)('the host %s against %j', (host, allowed, expected) => {
  expect(isAllowedHost(host, allowed)).toBe(expected);
});

test('the kinds that nobody is told of without a route', () => {
  expect(detailTypes.filter(isSilent).toSorted()).toEqual([
    'Credential Contained',
    'Credential Retired',
    'Credential Retirement Started',
    'Legal Hold Placed',
    'Principal Quarantine Lift Requested',
    'Principal Quarantine Requested',
    'Revocation Member Concluded',
    'Secret Expiry Extended',
    'Secret Registered',
    'Secret Rotation Abandoned',
    'Secret Rotation Paused',
    'Secret Rotation Resumed',
    'Secret Rotation Started',
    'Signal Ignored',
  ]);
});

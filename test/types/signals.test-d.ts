import { HoneySecret, type HoneySecretProps, Signals, type SignalsProps } from '../../lib/index.ts';
import { same } from './same.ts';
import { bus, queue, stack, topic } from './surroundings.ts';

const least: SignalsProps = { bus, auditQueue: queue };
const signals = new Signals(stack, 'Signals', {
  ...least,
  signals: {
    guardduty: { answer: 'ask', mode: 'kill' },
    webhook: { answer: 'act', mode: 'replace', secret: 'scanners/own' },
  },
  honeySecrets: { root: { name: '/prod/payments/root', owner: 'team-security', shape: 'login' } },
  alarmTopic: topic,
});
same<Readonly<Record<string, HoneySecret>>>()(signals.honeySecrets);
// @ts-expect-error a sender of webhooks is known by a secret
new Signals(stack, 'Unknown', { ...least, signals: { webhook: { answer: 'ask', mode: 'kill' } } });
// @ts-expect-error there is no such answer
new Signals(stack, 'Answer', { ...least, signals: { health: { answer: 'page', mode: 'kill' } } });
// @ts-expect-error somebody is told
new HoneySecret(stack, 'Nobody', { name: '/prod/payments/root' } satisfies Partial<HoneySecretProps>);

import * as z from 'zod';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { createEvent } from '../../core/events/create.ts';
import { readGuardDuty } from '../../core/signal/guardduty.ts';
import { readHealth } from '../../core/signal/health.ts';
import { type HoneySecret, honeyUses } from '../../core/signal/honey.ts';
import { readSecurityHub } from '../../core/signal/security-hub.ts';
import type { EventKind, Reading } from '../../core/signal/signal.ts';
import { type SignalDependencies, type SignalReport, takeSignals } from './take-signals.ts';

export interface BusSignalDependencies extends SignalDependencies {
  readonly honeySecrets: Readonly<Record<string, HoneySecret>>;
}

/** Counts of what became of an event. */
export interface BusSignalReport extends SignalReport {
  /** Number of honey secrets that were used. */
  readonly used: number;
}

const nothing: BusSignalReport = { requested: 0, told: 0, unresolved: 0, used: 0 };

const kinds: Readonly<
  Record<string, { readonly kind: EventKind; readonly read: (event: unknown) => Reading }>
> = {
  'aws.health': { kind: 'health', read: readHealth },
  'aws.guardduty': { kind: 'guardduty', read: readGuardDuty },
  'aws.securityhub': { kind: 'securityhub', read: readSecurityHub },
};

const sourceSchema = z.object({ source: z.string(), 'replay-name': z.string().optional() });

/**
 * Takes an event of the default bus: a signal of AWS, or a use of a honey secret.
 * @throws RekeyError `FunctionMisconfigured` for an event that no rule of the deployment sends; `SignalMalformed`; and as
 * {@link takeSignals}
 */
export async function takeFromBus(
  event: unknown,
  dependencies: BusSignalDependencies,
): Promise<BusSignalReport> {
  const { data } = sourceSchema.safeParse(event);
  // What a replay brings was answered when it happened.
  if (data?.['replay-name'] !== undefined) return nothing;
  const known = data === undefined ? undefined : kinds[data.source];
  if (known !== undefined && dependencies.policies[known.kind] !== undefined) {
    return { ...nothing, ...(await takeSignals(known.read(event), known.kind, dependencies)) };
  }
  const uses = honeyUses(event, dependencies.honeySecrets);
  if (uses.length === 0 && known === undefined && !isLoggedCall(event)) {
    throw new RekeyError(
      'FunctionMisconfigured',
      'the function was called with an event that nothing of the deployment sends; deploy again, and call it with none of your own',
    );
  }
  const { records, origin } = dependencies;
  for (const { secret, callId, refused, ...use } of uses) {
    await records.publish([
      createEvent(
        origin,
        'Honey Secret Used',
        {
          ...use,
          secretArn: secret.arn,
          secretName: secret.name,
          owner: secret.owner,
          ...(refused !== undefined && { refused }),
        },
        {
          correlationId: `honey:${use.honeySecret}:${callId}`.slice(0, 256),
          fact: `${secret.arn} ${callId}`,
        },
      ),
    ]);
  }
  return { ...nothing, used: uses.length };
}

const isLoggedCall = (event: unknown): boolean =>
  z.object({ 'detail-type': z.literal('AWS API Call via CloudTrail') }).safeParse(event).success;

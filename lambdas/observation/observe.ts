import * as z from 'zod';
import { rotationServiceEvents } from '../../core/deployed/names.ts';
import { errorSummary, RekeyError } from '../../core/errors/rekey-error.ts';
import type { EventData } from '../../core/events/catalogue.ts';
import { createEvent, type EventLinks, type EventOrigin } from '../../core/events/create.ts';
import { lookUntil, type WithWait } from '../../core/pace/patience.ts';
import type { DefinitionStore, EventBus, SecretStore } from '../../core/ports.ts';
import { type SecretDescription, stages, versionWith } from '../../core/secret/secret.ts';
import { steps } from '../rotation/event.ts';

export interface ObservationDependencies extends WithWait {
  readonly definitions: Pick<DefinitionStore, 'find'>;
  readonly store: Pick<SecretStore, 'describe'>;
  /** Bus that falls back to the audit queue when the event bus takes nothing: the facts have happened already. */
  readonly records: EventBus;
  /** Origin of the events. The actor is the function that rotates, and the time is the event's own. */
  readonly origin: Omit<EventOrigin, 'actor' | 'clock'>;
}

/** The fact that was recorded. `ignored`: the secret is not Rekey's, or Rekey's own functions record its rotations themselves. */
export type Observation = 'ignored' | 'started' | 'succeeded' | 'failed';

/**
 * A rotation as Secrets Manager tells of it through CloudTrail. The user guide names the events and not their fields;
 * these are as observed: the ARN in `additionalEventData`, and the version at the end of `requestID`.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
const serviceEventSchema = z.object({
  'detail-type': z.literal('AWS Service Event via CloudTrail'),
  source: z.literal('aws.secretsmanager'),
  time: z.iso.datetime(),
  detail: z.object({
    eventName: z.enum(rotationServiceEvents),
    eventTime: z.iso.datetime().optional(),
    eventID: z.string().min(1),
    requestID: z.string().optional(),
    errorMessage: z.string().optional(),
    additionalEventData: z.looseObject({ SecretId: z.string().optional() }).nullish(),
    serviceEventDetails: z.looseObject({ secretId: z.string().optional() }).nullish(),
  }),
});
type Detail = z.output<typeof serviceEventSchema>['detail'];

/**
 * Records one step of a rotation by a foreign function, under the same events as Rekey's own functions do. The same event again
 * is the same record.
 *
 * @param input the event as EventBridge delivers it, unchecked
 * @throws RekeyError `ObservationMalformed` when it is not what Secrets Manager sends
 */
export async function observe(input: unknown, dependencies: ObservationDependencies): Promise<Observation> {
  const parsed = serviceEventSchema.safeParse(input);
  const secretId = parsed.success ? secretOf(parsed.data.detail) : undefined;
  if (!parsed.success || secretId === undefined) {
    const places = parsed.error?.issues.map(({ path }) => path.join('.') || 'event') ?? [
      'detail.additionalEventData',
    ];
    throw new RekeyError(
      'ObservationMalformed',
      `not an event of Secrets Manager about a rotation as Rekey knows them: ${places.join(', ')}`,
    );
  }
  const { definitions, store, records, origin, wait } = dependencies;
  const definition = await definitions.find(secretId);
  if (definition?.type !== 'external') {
    return 'ignored';
  }
  const { detail, time } = parsed.data;
  const named = namedVersion(detail, secretId);
  const description = await lookUntil(
    () => store.describe(secretId),
    ({ versions }) => named === undefined || versions[named] !== undefined,
    wait,
  );
  const versionId = versionOf(detail, named, description);
  const subject = {
    secretArn: description.arn,
    secretName: description.name,
    secretType: definition.type,
    strategy: definition.strategy,
    versionId,
  };
  const itsOrigin: EventOrigin = {
    ...origin,
    actor: `lambda:${definition.rotationFunction}`,
    clock: { now: () => new Date(detail.eventTime ?? time) },
  };
  const links: EventLinks = { correlationId: versionId, fact: `${description.arn} ${versionId}` };
  switch (detail.eventName) {
    case 'RotationStarted': {
      const before = versionWith(description, stages.current);
      const data = { ...subject, ...(before !== versionId && previous(before)) };
      await records.publish([createEvent(itsOrigin, 'Secret Rotation Started', data, links)]);
      return 'started';
    }
    case 'RotationSucceeded': {
      const isCurrent = versionWith(description, stages.current) === versionId;
      const data = { ...subject, ...(isCurrent && previous(versionWith(description, stages.previous))) };
      await records.publish([createEvent(itsOrigin, 'Secret Rotation Succeeded', data, links)]);
      return 'succeeded';
    }
    default: {
      const data = { ...subject, ...failureOf(detail, definition.rotationFunction) };
      // One rotation may fail many times; each time is a fact of its own.
      const fact = `${links.fact} ${detail.eventID}`;
      await records.publish([createEvent(itsOrigin, 'Secret Rotation Failed', data, { ...links, fact })]);
      return 'failed';
    }
  }
}

const secretOf = ({ additionalEventData, serviceEventDetails }: Detail): string | undefined =>
  additionalEventData?.SecretId ?? serviceEventDetails?.secretId;

const previous = (versionId: string | undefined) =>
  versionId === undefined ? {} : { previousVersionId: versionId };

function namedVersion({ requestID }: Detail, secretId: string): string | undefined {
  const prefix = `Rotation-${secretId}-`;
  return requestID?.startsWith(prefix) ? requestID.slice(prefix.length) : undefined;
}

/**
 * Finds the version that the rotation makes. `requestID` ends with it, which is not documented, so it is believed where the
 * secret has such a version. Otherwise the labels say which it must be, as long as no other rotation has moved them.
 */
function versionOf(
  { eventName }: Detail,
  named: string | undefined,
  description: Pick<SecretDescription, 'versions'>,
): string {
  if (named !== undefined && description.versions[named] !== undefined) {
    return named;
  }
  const current = versionWith(description, stages.current);
  const pending = versionWith(description, stages.pending);
  const unfinished = pending === current ? undefined : pending;
  const labelled =
    { RotationStarted: pending ?? current, RotationSucceeded: current }[eventName as string] ?? unfinished;
  return labelled ?? (named || 'unknown');
}

/** Describes a failure in Rekey's own words. The text of the event might quote anything, so only the step is taken from it. */
function failureOf(
  { eventName, errorMessage }: Detail,
  rotationFunction: string,
): Pick<EventData<'Secret Rotation Failed'>, 'step' | 'error'> {
  const told = /during (\w+) step/.exec(errorMessage ?? '')?.[1];
  const step =
    steps.find((known) => known === told) ?? (eventName === 'TestRotationFailed' ? 'testSecret' : 'unknown');
  if (eventName === 'RotationAbandoned') {
    return {
      step,
      error: errorSummary(
        'RotationAbandoned',
        'somebody stored a new version by hand while the rotation was under way, so Secrets Manager gave the rotation up; rotate again',
      ),
    };
  }
  return {
    step,
    error: errorSummary(
      'ForeignRotationFailed',
      `the rotation function ${rotationFunction} failed; its log /aws/lambda/${rotationFunction} says why`,
    ),
  };
}

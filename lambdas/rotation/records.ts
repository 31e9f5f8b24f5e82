import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import type { EventBus } from '../../core/ports.ts';
import type { Rotator } from '../../core/rotator.ts';
import type { SecretDescription, Strategy } from '../../core/secret/secret.ts';
import type { RotationEvent } from './event.ts';

/** The sources of a rotation's records. */
export interface RecordSources<S extends object> {
  readonly rotator: Pick<Rotator<S>, 'type'>;
  readonly strategy: Strategy;
  readonly origin: EventOrigin;
  readonly records: EventBus;
}

/** Says in each record of a rotation which secret and version it is about. */
export const subjectOf = <S extends object>(
  { arn, name }: Pick<SecretDescription, 'arn' | 'name'>,
  versionId: string,
  { rotator, strategy }: Pick<RecordSources<S>, 'rotator' | 'strategy'>,
) => ({ secretArn: arn, secretName: name, secretType: rotator.type, strategy, versionId });

/** Codes of errors on secrets that the function has nothing to do with. */
const notOurs: ReadonlySet<string> = new Set(['SecretMissing', 'SecretAccessDenied', 'SecretNameInvalid']);

/**
 * Publishes a failed step as well as it can. The error itself goes to Secrets Manager in any case.
 * @throws RekeyError the same, when it could not be recorded
 */
export async function recordFailure<S extends object>(
  event: RotationEvent,
  description: SecretDescription | undefined,
  error: unknown,
  sources: RecordSources<S>,
): Promise<void> {
  const { records, origin } = sources;
  // Whoever may invoke the function could have it tell of any secret: it tells only of those that it may look at.
  const isItsOwn = !(error instanceof RekeyError && notOurs.has(error.code));
  if (description === undefined && !isItsOwn) return;
  const subject = description ?? { arn: event.secretId, name: event.secretId };
  const failure = createEvent(
    origin,
    'Secret Rotation Failed',
    { ...subjectOf(subject, event.token, sources), step: event.step, error: summarizeError(error) },
    { correlationId: event.token },
  );
  await records.publish([failure]).catch((cause: unknown) => {
    const { code, message } = summarizeError(error);
    const unrecorded = `${message}; and this failure could not be recorded: ${summarizeError(cause).message}`;
    throw new RekeyError(code, unrecorded, { cause: error });
  });
}

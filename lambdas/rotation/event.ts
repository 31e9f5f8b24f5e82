import * as z from 'zod';
import { SecretError } from '../../core/errors/rekey-error.ts';

/** The four steps, in the order in which Secrets Manager calls them. */
export const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
export type Step = (typeof steps)[number];

const rotationEventSchema = z.looseObject({
  Step: z.string(),
  // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
  SecretId: z.string().min(1).max(2048),
  ClientRequestToken: z.string().min(1).max(64),
  RotationToken: z.string().min(1).max(4096).optional(),
});

/** The event that Secrets Manager sends to a rotation function. */
export interface RotationEvent {
  readonly step: Step;
  readonly secretId: string;
  /** Id of the version that becomes the new one. */
  readonly token: string;
  readonly rotationToken?: string;
}

/**
 * Reads Secrets Manager's event.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 * @throws SecretError `RotationEventInvalid` | `StepUnknown`
 */
export function parseRotationEvent(input: unknown): RotationEvent {
  const parsed = rotationEventSchema.safeParse(input);
  if (!parsed.success) {
    throw new SecretError(
      'RotationEventInvalid',
      `not an event of Secrets Manager's rotation: ${z.prettifyError(parsed.error)}; it must hold Step, SecretId and ClientRequestToken`,
    );
  }
  const { Step, SecretId, ClientRequestToken, RotationToken } = parsed.data;
  const step = steps.find((known) => known === Step);
  if (step === undefined) {
    throw new SecretError(
      'StepUnknown',
      `unknown step ${JSON.stringify(Step.slice(0, 64))}; known are ${steps.join(', ')}`,
    );
  }
  return {
    step,
    secretId: SecretId,
    token: ClientRequestToken,
    ...(RotationToken !== undefined && { rotationToken: RotationToken }),
  };
}

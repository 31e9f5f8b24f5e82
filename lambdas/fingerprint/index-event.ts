import * as z from 'zod';
import { RekeyError } from '../../core/errors/rekey-error.ts';

/** Types of events after which a secret has other versions or labels than the index knows. */
const eventSchema = z.object({
  'detail-type': z.enum(['Secret Rotation Succeeded', 'Secret Rotation Failed']),
  detail: z.object({ data: z.object({ secretArn: z.string().min(1), versionId: z.string().min(1) }) }),
});

const scheduleSchema = z.object({ 'detail-type': z.literal('Scheduled Event') });

/**
 * Request of CloudFormation, which asks for a sweep when the index is deployed and whenever the secrets are others.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
 */
const deploySchema = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string().min(1),
  RequestId: z.string().min(1),
  LogicalResourceId: z.string().min(1),
  PhysicalResourceId: z.string().min(1).optional(),
});

/** Occasion on which the index is filled. */
export type IndexOccasion =
  | {
      readonly kind: 'rotation';
      readonly secretArn: string;
      /** Version that the rotation has made current; missing where it failed. */
      readonly current?: string;
    }
  | { readonly kind: 'schedule' }
  | {
      readonly kind: 'deploy';
      readonly responseUrl: string;
      readonly answer: object;
      /** False when the index is being deleted. */
      readonly sweeps: boolean;
    };

/**
 * Reads the event that the function was called with.
 * @throws RekeyError `FunctionMisconfigured` when it is none that the deployment sends
 */
export function readOccasion(event: unknown): IndexOccasion {
  const rotation = eventSchema.safeParse(event).data;
  if (rotation !== undefined) {
    const { secretArn, versionId } = rotation.detail.data;
    const succeeded = rotation['detail-type'] === 'Secret Rotation Succeeded';
    return { kind: 'rotation', secretArn, ...(succeeded && { current: versionId }) };
  }
  if (scheduleSchema.safeParse(event).success) return { kind: 'schedule' };
  const deploy = deploySchema.safeParse(event).data;
  if (deploy !== undefined) {
    const { RequestType, ResponseURL, StackId, RequestId, LogicalResourceId, PhysicalResourceId } = deploy;
    return {
      kind: 'deploy',
      responseUrl: ResponseURL,
      // A deploy waits for no sweep and fails by none.
      answer: {
        Status: 'SUCCESS',
        PhysicalResourceId: PhysicalResourceId ?? 'fingerprints',
        StackId,
        RequestId,
        LogicalResourceId,
      },
      sweeps: RequestType !== 'Delete',
    };
  }
  throw new RekeyError(
    'FunctionMisconfigured',
    'the function was called with an event that nothing of the deployment sends; deploy again, and call it with none of your own',
  );
}

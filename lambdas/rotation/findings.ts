import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import { type Finding, findingData } from '../../core/findings/codes.ts';
import type { EventBus } from '../../core/ports.ts';
import type { TargetContext } from '../../core/rotator.ts';

/** The dependencies of {@link withFindings}. */
export interface FindingSources {
  readonly records: EventBus;
  readonly origin: EventOrigin;
  readonly target: Omit<TargetContext, 'finding'>;
}

/** Runs an action at the target and publishes what a person should look at, once per version. */
export async function withFindings<T>(
  { records, origin, target }: FindingSources,
  { secretArn, versionId }: { readonly secretArn: string; readonly versionId: string },
  action: (target: TargetContext) => Promise<T>,
): Promise<T> {
  const findings: Finding[] = [];
  const publish = async () => {
    if (findings.length === 0) return;
    await records.publish(
      findings.map((finding) =>
        createEvent(origin, 'Finding Raised', findingData(secretArn, finding), {
          correlationId: versionId,
          fact: `${secretArn} ${versionId} ${finding.code} ${finding.message}`,
        }),
      ),
    );
  };
  let result: T;
  try {
    result = await action({ ...target, finding: (finding) => findings.push(finding) });
  } catch (error) {
    // What was found, and may have been done, counts all the same; the failure itself says more than this one would.
    await publish().catch(() => undefined);
    throw error;
  }
  await publish();
  return result;
}

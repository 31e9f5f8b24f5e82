import { DescribeSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { eventually } from './eventually.ts';

/** Time at which each secret was last rotated; undefined: never. */
export type LastRotated = ReadonlyMap<string, Date | undefined>;

export async function lastRotated(
  secrets: SecretsManagerClient,
  names: readonly string[],
): Promise<LastRotated> {
  const dates = names.map(async (SecretId): Promise<[string, Date | undefined]> => {
    const { LastRotatedDate } = await secrets.send(new DescribeSecretCommand({ SecretId }));
    return [SecretId, LastRotatedDate];
  });
  return new Map(await Promise.all(dates));
}

/**
 * Waits until each secret has been rotated and every rotation has ended. Secrets Manager rotates in the background, after a
 * deploy has ended or a schedule's time has come.
 * @param since - rotations up to then do not count; an empty map: any rotation counts
 * @param note - hears of each secret as its rotation ends
 */
export async function rotationsEnded(
  secrets: SecretsManagerClient,
  names: readonly string[],
  since: LastRotated,
  note: (text: string) => void = () => {},
): Promise<void> {
  await Promise.all(
    names.map(async (SecretId) => {
      const before = since.get(SecretId)?.getTime() ?? 0;
      await eventually(`${SecretId} has been rotated`, async () => {
        const { LastRotatedDate, VersionIdsToStages = {} } = await secrets.send(
          new DescribeSecretCommand({ SecretId }),
        );
        const unfinished = Object.values(VersionIdsToStages).some(
          (labels) => labels.includes('AWSPENDING') && !labels.includes('AWSCURRENT'),
        );
        return (LastRotatedDate?.getTime() ?? 0) > before && !unfinished;
      });
      note(`${SecretId}: rotated`);
    }),
  );
}

import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { SecretError } from '../core/errors/rekey-error.ts';
import type { SecretStore } from '../core/ports.ts';
import { type SecretDescription, type SecretVersion, stages } from '../core/secret/secret.ts';
import { removePendingLabel } from './pending-label.ts';
import { secretsManagerError } from './secret-errors.ts';

/** Secrets Manager as the {@link SecretStore}; one API call a method, the SDK's own retries aside. */
export class SecretsManagerStore implements SecretStore {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  async describe(secretId: string): Promise<SecretDescription> {
    const found = await this.#client
      .send(new DescribeSecretCommand({ SecretId: secretId }))
      .catch(refusedBy('DescribeSecret', secretId));
    return {
      arn: found.ARN ?? secretId,
      name: found.Name ?? secretId,
      rotationEnabled: found.RotationEnabled ?? false,
      versions: found.VersionIdsToStages ?? {},
      tags: Object.fromEntries((found.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
      ...(found.LastRotatedDate && { lastRotated: found.LastRotatedDate }),
      ...(found.NextRotationDate && { nextRotation: found.NextRotationDate }),
      ...(found.RotationLambdaARN && { rotationFunctionArn: found.RotationLambdaARN }),
      ...(found.OwningService && { owningService: found.OwningService }),
      // The primary secret of a replication names its own region.
      ...(found.PrimaryRegion &&
        found.PrimaryRegion !== found.ARN?.split(':')[3] && { replicaOf: found.PrimaryRegion }),
      ...((found.ReplicationStatus ?? []).length > 0 && {
        replicas: (found.ReplicationStatus ?? []).map(({ Region = 'unknown', Status = 'unknown' }) => ({
          region: Region,
          status: Status,
        })),
      }),
    };
  }

  async read(
    secretId: string,
    which: { versionId: string } | { stage: string },
  ): Promise<SecretVersion | undefined> {
    try {
      const found = await this.#client.send(
        new GetSecretValueCommand({
          SecretId: secretId,
          ...('versionId' in which ? { VersionId: which.versionId } : { VersionStage: which.stage }),
        }),
      );
      if (found.SecretString === undefined || found.VersionId === undefined) {
        return undefined;
      }
      return {
        versionId: found.VersionId,
        value: found.SecretString,
        stages: found.VersionStages ?? [],
        ...(found.CreatedDate && { created: found.CreatedDate }),
      };
    } catch (error) {
      // The same answer stands for an unknown version and for one that has no value yet.
      if (nameOf(error) === 'ResourceNotFoundException') {
        return undefined;
      }
      throw secretsManagerError(error, 'GetSecretValue', secretId);
    }
  }

  async putPending(
    secretId: string,
    versionId: string,
    value: string,
    rotationToken?: string,
  ): Promise<'stored' | 'kept'> {
    try {
      await this.#client.send(
        new PutSecretValueCommand({
          SecretId: secretId,
          ClientRequestToken: versionId,
          SecretString: value,
          VersionStages: [stages.pending],
          ...(rotationToken && { RotationToken: rotationToken }),
        }),
      );
      return 'stored';
    } catch (error) {
      if (nameOf(error) === 'ResourceExistsException') {
        return 'kept';
      }
      throw secretsManagerError(error, 'PutSecretValue', secretId, Buffer.byteLength(value));
    }
  }

  async moveCurrent(secretId: string, { to, from }: { to: string; from: string }): Promise<void> {
    try {
      await this.#client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secretId,
          VersionStage: stages.current,
          MoveToVersionId: to,
          RemoveFromVersionId: from,
        }),
      );
    } catch (error) {
      if (['InvalidParameterException', 'InvalidRequestException'].includes(nameOf(error))) {
        throw new SecretError(
          'CurrentMoved',
          `${stages.current} of ${secretId} is no longer on version ${from}; another rotation or a person moved it`,
          { cause: error },
        );
      }
      throw secretsManagerError(error, 'UpdateSecretVersionStage', secretId);
    }
  }

  async removePending(secretId: string, versionId: string): Promise<void> {
    await removePendingLabel(this.#client, secretId, versionId).catch(
      refusedBy('UpdateSecretVersionStage', secretId),
    );
  }

  async tag(secretId: string, key: string, value: string): Promise<void> {
    await this.#client
      .send(new TagResourceCommand({ SecretId: secretId, Tags: [{ Key: key, Value: value }] }))
      .catch(refusedBy('TagResource', secretId));
  }

  async listVersions(secretId: string) {
    const versions: { versionId: string; stages: readonly string[]; created?: Date }[] = [];
    let next: string | undefined;
    do {
      const page = await this.#client
        .send(
          new ListSecretVersionIdsCommand({
            SecretId: secretId,
            IncludeDeprecated: true,
            ...(next && { NextToken: next }),
          }),
        )
        .catch(refusedBy('ListSecretVersionIds', secretId));
      for (const { VersionId, VersionStages = [], CreatedDate } of page.Versions ?? []) {
        if (VersionId !== undefined) {
          versions.push({
            versionId: VersionId,
            stages: VersionStages,
            ...(CreatedDate && { created: CreatedDate }),
          });
        }
      }
      next = page.NextToken;
    } while (next !== undefined);
    return versions.sort((a, b) => (b.created?.getTime() ?? 0) - (a.created?.getTime() ?? 0));
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

const refusedBy =
  (action: string, secretId: string) =>
  (error: unknown): never => {
    throw secretsManagerError(error, action, secretId);
  };

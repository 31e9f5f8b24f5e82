import {
  BatchGetSecretValueCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  paginateListSecrets,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { awsFault } from '../../core/errors/aws.ts';
import { RekeyError, SecretError } from '../../core/errors/rekey-error.ts';
import type {
  KnownSecret,
  PreflightCloud,
  Prober,
  SecretPlace,
  Trial,
  ValueShape,
  VersionPlace,
} from '../../core/preflight/ports.ts';
import { shapeOf } from '../../core/preflight/shape.ts';
import { stages } from '../../core/secret/secret.ts';
import { secretsManagerError } from '../secret-errors.ts';
import { parsePolicy } from './policy-documents.ts';

/** Names of secrets that are listed, for suggestions. */
const mostNames = 5_000;

/**
 * The secrets of any region, as a preflight looks at them. Values stay in here: only the names of their keys leave, and what a
 * target said of a credential.
 */
export class PreflightSecrets
  implements Pick<PreflightCloud, 'secret' | 'names' | 'resourcePolicy' | 'shapes' | 'tryOut'>
{
  readonly #in: (region: string) => SecretsManagerClient;
  readonly #prober: Prober | undefined;

  constructor(clientIn: (region: string) => SecretsManagerClient, prober?: Prober) {
    this.#in = clientIn;
    this.#prober = prober;
  }

  async secret({ id, region }: SecretPlace): Promise<KnownSecret | undefined> {
    try {
      const found = await this.#in(region).send(new DescribeSecretCommand({ SecretId: id }));
      return {
        arn: found.ARN ?? id,
        name: found.Name ?? id,
        tags: Object.fromEntries((found.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
        versions: found.VersionIdsToStages ?? {},
        rotationEnabled: found.RotationEnabled ?? false,
        ...(found.DeletedDate && { deleted: found.DeletedDate }),
        ...(found.KmsKeyId && { keyId: found.KmsKeyId }),
        ...(found.CreatedDate && { created: found.CreatedDate }),
        ...(found.LastRotatedDate && { lastRotated: found.LastRotatedDate }),
        ...(found.LastChangedDate && { lastChanged: found.LastChangedDate }),
        ...(found.NextRotationDate && { nextRotation: found.NextRotationDate }),
      };
    } catch (error) {
      if (awsFault(error)?.name === 'ResourceNotFoundException') return undefined;
      throw secretsManagerError(error, 'DescribeSecret', id);
    }
  }

  async names(region: string): Promise<readonly string[]> {
    const names: string[] = [];
    try {
      for await (const { SecretList = [] } of paginateListSecrets(
        { client: this.#in(region), pageSize: 100 },
        {},
      )) {
        names.push(...SecretList.flatMap(({ Name }) => Name ?? []));
        if (names.length >= mostNames) break;
      }
    } catch (error) {
      throw secretsManagerError(error, 'ListSecrets', `the secrets of ${region}`);
    }
    return names;
  }

  async resourcePolicy({ id, region }: SecretPlace) {
    try {
      const { ResourcePolicy } = await this.#in(region).send(new GetResourcePolicyCommand({ SecretId: id }));
      return ResourcePolicy === undefined || ResourcePolicy === ''
        ? undefined
        : parsePolicy(ResourcePolicy, `the resource policy of ${id}`);
    } catch (error) {
      throw secretsManagerError(error, 'GetResourcePolicy', id);
    }
  }

  /** Looks at values of one region. Current ones come by one call; the others, and those that it left out, by one each. */
  async shapes(asked: readonly VersionPlace[]): Promise<readonly (ValueShape | Error)[]> {
    const shapes = new Map<VersionPlace, ValueShape | Error>();
    const current = asked.filter(isCurrent);
    if (current.length > 1) await this.#readTogether(current, shapes);
    for (const place of asked) {
      if (shapes.has(place)) continue;
      shapes.set(place, await this.#read(place).then(shapeIn, (error: unknown) => asError(error)));
    }
    return asked.map((place) => shapes.get(place) ?? new RekeyError('Unexpected', 'the value was not read'));
  }

  async tryOut(place: VersionPlace, type: string | undefined): Promise<Trial> {
    if (this.#prober === undefined)
      return { outcome: 'unproven', message: 'nothing here can try credentials' };
    const { SecretString } = await this.#read(place);
    return SecretString === undefined
      ? { outcome: 'unproven', message: 'its value is binary' }
      : await this.#prober(SecretString, type);
  }

  async #readTogether(
    current: readonly VersionPlace[],
    shapes: Map<VersionPlace, ValueShape | Error>,
  ): Promise<void> {
    try {
      const { SecretValues = [], Errors = [] } = await this.#in(current[0]?.region ?? '').send(
        new BatchGetSecretValueCommand({ SecretIdList: current.map(({ id }) => id) }),
      );
      for (const place of current) {
        const value = SecretValues.find(({ ARN }) => ARN === place.id);
        const refused = Errors.find(({ SecretId }) => SecretId === place.id);
        if (value !== undefined) shapes.set(place, shapeIn(value));
        else if (refused !== undefined) {
          const fault = Object.assign(new Error(refused.Message), { name: refused.ErrorCode ?? 'Unknown' });
          shapes.set(place, asError(secretsManagerError(fault, 'GetSecretValue', place.id)));
        }
      }
    } catch (error) {
      // Whoever may read each of them need not be allowed to read them together.
      if (awsFault(error)?.code !== 'AccessDenied') {
        throw secretsManagerError(error, 'BatchGetSecretValue', `${current.length} secrets`);
      }
    }
  }

  async #read({ id, region, versionId, versionStage }: VersionPlace): Promise<GetSecretValueCommandOutput> {
    try {
      return await this.#in(region).send(
        new GetSecretValueCommand({
          SecretId: id,
          ...(versionId !== undefined && { VersionId: versionId }),
          ...(versionStage !== undefined && { VersionStage: versionStage }),
        }),
      );
    } catch (error) {
      throw secretsManagerError(error, 'GetSecretValue', id);
    }
  }
}

const isCurrent = ({ versionId, versionStage = stages.current }: VersionPlace): boolean =>
  versionId === undefined && versionStage === stages.current;

const shapeIn = ({ SecretString }: { readonly SecretString?: string | undefined }): ValueShape =>
  SecretString === undefined ? { kind: 'binary', paths: [], cut: false } : shapeOf(SecretString);

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new SecretError('SecretMissing', 'the value could not be read');

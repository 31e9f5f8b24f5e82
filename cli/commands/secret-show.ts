import type { Invocation } from '../context.ts';
import { findDefinition, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode } from '../errors.ts';
import { stateTones, statusOf } from '../secret-state.ts';
import { formatRelative } from '../time.ts';
import { statusDocument } from './secret-list.ts';

/** Runs `rekey secret show`: the definition, consumers and versions of one secret. Values are never read. */
export async function secretShow(invocation: Invocation, name: string): Promise<ExitCode> {
  const { cloud, context, output } = invocation;
  const environment = await openEnvironment(invocation);
  const [store, secrets] = await Promise.all([cloud.definitions(environment.name), cloud.secrets()]);
  const definition = await findDefinition(store, name, environment.name);
  const now = context.clock.now();
  const status = await statusOf(definition, cloud, now);
  const { description, state } = status;
  if (state === 'missing') {
    throw new CliError(
      3,
      'SecretMissing',
      `${definition.name} is defined in environment ${environment.name}, but Secrets Manager has no secret ${definition.arn}; it was deleted, or lies in another region`,
    );
  }
  const versions = description === undefined ? [] : await secrets.listVersions(definition.arn);

  output.document({
    environment: environment.name,
    ...statusDocument(status),
    purpose: definition.purpose ?? null,
    consumers: definition.consumers,
    network: definition.network ?? null,
    rotationFunction: definition.rotationFunction,
    containmentFunction: definition.containmentFunction,
    rotationEnabled: description?.rotationEnabled ?? null,
    versions: versions.map(({ versionId, stages, created }) => ({
      versionId,
      stages,
      created: created?.toISOString() ?? null,
    })),
  });
  output.table(
    [],
    [
      [
        { text: 'name', tone: 'dim' },
        { text: definition.name, tone: 'strong' },
      ],
      [{ text: 'arn', tone: 'dim' }, definition.arn],
      [{ text: 'type', tone: 'dim' }, definition.type],
      [{ text: 'strategy', tone: 'dim' }, definition.strategy],
      [{ text: 'owner', tone: 'dim' }, definition.owner],
      [{ text: 'purpose', tone: 'dim' }, definition.purpose ?? '-'],
      [{ text: 'consumers', tone: 'dim' }, definition.consumers.join(', ') || 'none declared'],
      [{ text: 'network', tone: 'dim' }, definition.network ?? '-'],
      [{ text: 'schedule', tone: 'dim' }, definition.schedule],
      [{ text: 'rotated', tone: 'dim' }, formatRelative(description?.lastRotated, now)],
      [{ text: 'next', tone: 'dim' }, formatRelative(description?.nextRotation, now)],
      [
        { text: 'state', tone: 'dim' },
        { text: state, tone: stateTones[state] },
      ],
      [{ text: 'rotation by', tone: 'dim' }, definition.rotationFunction],
      [{ text: 'contained by', tone: 'dim' }, definition.containmentFunction],
    ],
  );
  output.line();
  output.table(
    ['VERSION', 'LABELS', 'CREATED'],
    versions.map(({ versionId, stages, created }) => [
      versionId,
      stages.join(', ') || '-',
      formatRelative(created, now),
    ]),
  );
  return 0;
}

import type { Invocation } from '../context.ts';
import { openEnvironment } from '../environment.ts';
import type { ExitCode } from '../errors.ts';
import { type SecretStatus, stateTones, statusesOf } from '../secret-state.ts';
import { formatRelative } from '../time.ts';

/** Makes the `--json` document of a secret; times are ISO 8601, `null` when there is none. */
export function statusDocument({ definition, description, state, pendingVersionId }: SecretStatus) {
  return {
    name: definition.name,
    arn: definition.arn,
    type: definition.type,
    strategy: definition.strategy,
    owner: definition.owner,
    schedule: definition.schedule,
    state,
    lastRotated: description?.lastRotated?.toISOString() ?? null,
    nextRotation: description?.nextRotation?.toISOString() ?? null,
    pendingVersionId: pendingVersionId ?? null,
  };
}

/** Runs `rekey secret list`: every secret of the environment and how its rotation stands. */
export async function secretList(invocation: Invocation): Promise<ExitCode> {
  const { cloud, context, output } = invocation;
  const environment = await openEnvironment(invocation);
  const store = await cloud.definitions(environment.name);
  const definitions = [...(await store.list())].sort((a, b) => a.name.localeCompare(b.name));
  const now = context.clock.now();
  const statuses = await statusesOf(definitions, cloud, now, (count) =>
    output.progress(`looked at ${count} of ${definitions.length} secrets`),
  );
  output.document({ environment: environment.name, secrets: statuses.map(statusDocument) });
  if (statuses.length === 0) {
    output.line(`Environment ${environment.name} has no secrets yet.`);
    return 0;
  }
  output.table(
    ['NAME', 'TYPE', 'STRATEGY', 'OWNER', 'LAST ROTATED', 'NEXT', 'STATE'],
    statuses.map(({ definition, description, state }) => [
      definition.name,
      definition.type,
      definition.strategy,
      definition.owner,
      formatRelative(description?.lastRotated, now),
      formatRelative(description?.nextRotation, now),
      { text: state, tone: stateTones[state] },
    ]),
  );
  return 0;
}

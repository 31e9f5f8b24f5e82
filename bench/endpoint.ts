import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { versionWith } from '../core/secret/secret.ts';
import type { MemoryStore } from '../test/lambdas/rotation/memory-store.ts';

/** An HTTP endpoint that answers the AWS SDK, in this process, so that what is counted are real requests. */
export interface Endpoint {
  readonly url: string;
  /** Names of the actions that were called, in order; emptied by whoever reads it. */
  readonly calls: string[];
  close(): Promise<void>;
}

type Input = Readonly<Record<string, string | undefined>>;

/** An answer that the SDK turns into an error of this name. */
class Refusal extends Error {}

/**
 * Secrets Manager as `store` has it, and an EventBridge that takes everything; a call to anything else is refused.
 * @param delayMs - how long every call takes at the least: the network and the service
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
 */
export async function startEndpoint(store: MemoryStore, delayMs: number): Promise<Endpoint> {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    const action = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    calls.push(action);
    const [input] = await Promise.all([readJson(request), sleep(delayMs)]);
    const { status, body } = await answer(store, action, input).then(
      (body) => ({ status: 200, body }),
      (error: Error) => ({ status: 400, body: { __type: error.message } }),
    );
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

async function readJson(request: IncomingMessage): Promise<Input> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return JSON.parse(text) as Input;
}

async function answer(store: MemoryStore, action: string, input: Input): Promise<object> {
  const { SecretId: id = '' } = input;
  switch (action) {
    case 'DescribeSecret': {
      const { arn, name, rotationEnabled, versions } = await store.describe(id);
      return { ARN: arn, Name: name, RotationEnabled: rotationEnabled, VersionIdsToStages: versions };
    }
    case 'GetSecretValue': {
      const { VersionId: versionId, VersionStage: stage = 'AWSCURRENT' } = input;
      const version = await store.read(id, versionId === undefined ? { stage } : { versionId });
      if (version === undefined) throw new Refusal('ResourceNotFoundException');
      return {
        ARN: id,
        VersionId: version.versionId,
        SecretString: version.value,
        VersionStages: version.stages,
        CreatedDate: (version.created ?? new Date()).getTime() / 1000,
      };
    }
    case 'PutSecretValue': {
      const { ClientRequestToken: versionId = '', SecretString: value = '' } = input;
      if ((await store.putPending(id, versionId, value)) === 'kept')
        throw new Refusal('ResourceExistsException');
      return { ARN: id, VersionId: versionId, VersionStages: ['AWSPENDING'] };
    }
    case 'UpdateSecretVersionStage': {
      const { MoveToVersionId: to = '' } = input;
      const from = input.RemoveFromVersionId ?? versionWith(await store.describe(id), 'AWSCURRENT') ?? '';
      await store.moveCurrent(id, { to, from });
      return { ARN: id };
    }
    case 'ListSecretVersionIds': {
      const versions = await store.listVersions(id);
      return {
        ARN: id,
        Versions: versions.map(({ versionId, stages, created }) => ({
          VersionId: versionId,
          VersionStages: stages,
          CreatedDate: (created ?? new Date()).getTime() / 1000,
        })),
      };
    }
    case 'PutEvents':
      return { FailedEntryCount: 0, Entries: [{ EventId: crypto.randomUUID() }] };
    default:
      throw new Refusal('UnknownOperationException');
  }
}

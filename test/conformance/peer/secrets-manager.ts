import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemRandom } from '../../../adapters/system.ts';
import { generatePassword, passwordPolicy } from '../../../core/secret/password.ts';
import type { MemoryStore } from '../../lambdas/rotation/memory-store.ts';

class Refusal extends Error {}

/** Ids of versions have 32 characters at the least. */
const long = (id: string) => id.padEnd(32, '~');
const short = (id: string) => id.replace(/~+$/, '');
type Input = Readonly<Record<string, string>>;

/** The actions that AWS's functions call, on a store in memory, over HTTP as the SDK for Python speaks it. */
export async function serveSecretsManager(store: MemoryStore): Promise<{ url: string; close(): void }> {
  const actions: Record<string, (input: Input) => Promise<object>> = {
    async DescribeSecret({ SecretId = '' }) {
      const { arn, name, rotationEnabled, versions } = await store.describe(SecretId);
      const labels = Object.entries(versions).map(([id, stages]) => [long(id), stages]);
      return {
        ARN: arn,
        Name: name,
        RotationEnabled: rotationEnabled,
        VersionIdsToStages: Object.fromEntries(labels),
      };
    },
    async GetSecretValue({ SecretId = '', VersionId, VersionStage = 'AWSCURRENT' }) {
      const which = VersionId === undefined ? { stage: VersionStage } : { versionId: short(VersionId) };
      const version = await store.read(SecretId, which);
      if (version === undefined) throw new Refusal('ResourceNotFoundException');
      const { versionId, value, stages } = version;
      return { ARN: SecretId, VersionId: long(versionId), SecretString: value, VersionStages: stages };
    },
    async PutSecretValue({ SecretId = '', ClientRequestToken = '', SecretString = '' }) {
      const done = await store.putPending(SecretId, short(ClientRequestToken), SecretString);
      if (done === 'kept') throw new Refusal('ResourceExistsException');
      return {};
    },
    async UpdateSecretVersionStage({ SecretId = '', MoveToVersionId = '', RemoveFromVersionId = '' }) {
      await store.moveCurrent(SecretId, { to: short(MoveToVersionId), from: short(RemoveFromVersionId) });
      return {};
    },
    async GetRandomPassword({ ExcludeCharacters, PasswordLength }: Input) {
      const rules = { EXCLUDE_CHARACTERS: ExcludeCharacters, PASSWORD_LENGTH: String(PasswordLength) };
      return { RandomPassword: generatePassword(passwordPolicy(rules), systemRandom) };
    },
  };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const action = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(body));
    };
    try {
      const call = actions[action];
      if (call === undefined) throw new Refusal('InvalidRequestException');
      answer(200, await call(JSON.parse(Buffer.concat(parts).toString())));
    } catch (error) {
      const name = error instanceof Refusal ? error.message : 'InvalidRequestException';
      answer(400, { __type: name, message: `${action}: ${name}` });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

import { expect, test } from '@jest/globals';
import type { Session } from '../../../rotators/redis/connection.ts';
import { requireAlone } from '../../../rotators/redis/user.ts';

/** Answers each command as given; one that is not given is refused as a rule refuses it. */
const server = (answers: Record<string, unknown>) => {
  const attempt = async (command: readonly string[]) => {
    const value = answers[command.join(' ')];
    return value === undefined
      ? { outcome: 'refused', error: { word: 'NOPERM', text: 'NOPERM' } }
      : { outcome: 'done', value };
  };
  return { where: 'here', attempt } as unknown as Session;
};
const hello = (mode: string) => ({ 'HELLO 2': ['server', 'redis', 'proto', 2, 'mode', mode] });

test('a server that stands alone is changed', async () => {
  await expect(requireAlone(server(hello('standalone')))).resolves.toBeUndefined();
});

test('a node of a cluster and a Sentinel are not', async () => {
  await expect(requireAlone(server(hello('cluster')))).rejects.toThrow('is a node of a Redis Cluster');
  await expect(requireAlone(server(hello('sentinel')))).rejects.toThrow('is a Sentinel');
});

test('nor is one that does not let the login ask, which may be either', async () => {
  await expect(requireAlone(server({}))).rejects.toMatchObject({
    code: 'PermissionMissing',
    message: expect.stringContaining('+hello'),
  });
});

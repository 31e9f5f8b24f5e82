import { defineConfig } from '../../../lib/config/config.ts';
import type { EnvironmentConfiguration, LooseSecretInput, SecretInput } from '../../../lib/config/schema.ts';

/** Secrets of seven kinds, whose functions are shared by all of a kind. */
const kinds: readonly ((name: string) => SecretInput)[] = [
  (name) => ({ ...login('postgresql', 'single-user', 'postgres', name) }),
  (name) => ({ ...login('postgresql', 'alternating-users', 'postgres', name) }),
  (name) => ({ ...login('mysql', 'single-user', 'mysql', name) }),
  (name) => ({ ...login('mysql', 'alternating-users', 'mysql', name) }),
  (name) => ({ ...login('redis', 'dual-credential', 'redis', name) }),
  (name) => ({
    type: 'generic',
    strategy: 'single-user',
    create: { name, fields: { engine: 'generic' } },
    owner: 'team',
  }),
  (name) => ({
    type: 'http',
    strategy: 'dual-credential',
    adopt: name,
    adminSecret: { adopt: 'gitlab-admin' },
    owner: 'team',
  }),
];

function login(
  type: 'postgresql' | 'mysql' | 'redis',
  strategy: SecretInput['strategy'],
  engine: string,
  name: string,
): SecretInput {
  const secret: LooseSecretInput = {
    type,
    strategy,
    create: { name, fields: { engine, host: `${engine}.internal`, username: name.replaceAll('/', '_') } },
    adminSecret: { adopt: `${engine}-admin` },
    owner: 'team',
    consumers: ['api', 'worker'],
  };
  return secret as SecretInput;
}

/**
 * Makes an environment `prod` with so many secrets, of so many kinds in turn.
 * @param of - how many of the seven kinds
 */
export function manySecrets(count: number, of = 7): EnvironmentConfiguration {
  const { environments } = defineConfig({
    environments: {
      prod: {
        account: '111122223333',
        region: 'eu-central-1',
        audit: { retentionDays: 30 },
        access: { operators: ['111122223333'] },
        secrets: Object.fromEntries(
          Array.from({ length: count }, (_, index) => {
            const key = `service-${String(index).padStart(4, '0')}`;
            return [key, (kinds[index % of] as (name: string) => SecretInput)(`${key}/credential`)];
          }),
        ),
      },
    },
  });
  const { prod } = environments;
  if (prod === undefined) throw new Error('no environment');
  return prod;
}

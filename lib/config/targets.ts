import { RekeyError } from '../../core/errors/rekey-error.ts';
import { passwordPolicy } from '../../core/secret/password.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry, type SecretType } from '../../rotators/registry.ts';
import { coversRegion, rdsRegionOf } from '../../rotators/transport/tls/rds/regions.ts';
import { transportOf } from '../../rotators/transport/tls/transport.ts';
import { passwordEnvironment, passwordsOf } from './passwords.ts';
import type { Problem } from './problem.ts';
import type { LooseEnvironment, LooseSecret } from './schema.ts';

type Fields = NonNullable<LooseSecret['create']>['fields'];

/** Finds what the first rotation would find wrong with a secret's target, as far as the configuration tells. */
export const checkTarget = (secret: LooseSecret, environment: LooseEnvironment): Problem[] => [
  ...checkUsers(secret),
  ...checkPasswordLength(secret, environment),
  ...checkPasswordKinds(secret, environment),
  ...checkAuthorities(secret, environment),
];

const descriptorOf = (type: SecretType): SecretTypeDescriptor => registry[type];

function checkUsers({ type, strategy, create }: LooseSecret): Problem[] {
  const username = create?.fields.username;
  if (strategy !== 'alternating-users' || create === undefined || typeof username !== 'string') return [];
  try {
    descriptorOf(type).created?.alternate?.(username, create.fields);
    return [];
  } catch (error) {
    if (error instanceof RekeyError) {
      return [{ path: ['create', 'fields', 'username'], message: error.message }];
    }
    throw error;
  }
}

/**
 * Refuses passwords that are too long to log in with. The rotators of other types shorten theirs to what their targets take.
 */
function checkPasswordLength(secret: LooseSecret, environment: LooseEnvironment): Problem[] {
  const { type, passwords } = secret;
  const { length } = passwordsOf(environment, secret);
  const longest = descriptorOf(type).longestPassword;
  return longest === undefined || length === undefined || length <= longest.characters
    ? []
    : [
        {
          path: passwords?.length === undefined ? ['type'] : ['passwords', 'length'],
          message: `${longest.of} takes passwords of at most ${longest.characters} characters: lower passwords.length of the ${passwords?.length === undefined ? 'environment' : 'secret'}, now ${length}`,
        },
      ];
}

/** Refuses rules that allow only passwords which the target refuses. Each rotation would fail, and so would an emergency's. */
function checkPasswordKinds(secret: LooseSecret, environment: LooseEnvironment): Problem[] {
  const { type, create, resources, passwords } = secret;
  try {
    const policy = passwordPolicy(passwordEnvironment(passwordsOf(environment, secret)));
    descriptorOf(type).narrowed?.(policy, { fields: create?.fields, resources });
    return [];
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    const path = passwords === undefined ? ['type'] : ['passwords'];
    return [{ path, message: `passwords: ${error.message}` }];
  }
}

/**
 * Asks for a certificate authority where Rekey brings none for a database of RDS. Databases of RDS have certificates of RDS's
 * own authorities, which Rekey does not bring for every region. Only endpoints of RDS have such certificates; a host that is
 * known only at the deploy may be one.
 */
function checkAuthorities(secret: LooseSecret, { region }: LooseEnvironment): Problem[] {
  const { type, create, resources, certificateAuthority } = secret;
  if (certificateAuthority !== undefined) return [];
  const missing = regionsOfRds(type, create?.fields, resources, region).find((each) => !coversRegion(each));
  return missing === undefined
    ? []
    : [
        {
          path: ['certificateAuthority'],
          message: `Rekey brings no authorities of RDS in ${missing}: download AWS's bundle of the region and name the file here; a database elsewhere needs its own authority`,
        },
      ];
}

function regionsOfRds(
  type: SecretType,
  fields: Fields | undefined,
  resources: readonly string[],
  region: string | undefined,
): readonly string[] {
  const databases = resources.filter((arn) => arn.split(':')[2] === 'rds');
  if (databases.length > 0) return databases.map((arn) => arn.split(':')[3] ?? '');
  if (!descriptorOf(type).database) return [];
  if (fields !== undefined) {
    if (transportOf(fields) === 'plaintext') return [];
    const of = typeof fields.host === 'string' ? rdsRegionOf(fields.host) : undefined;
    return of === undefined ? [] : [of];
  }
  return region === undefined ? [] : [region];
}

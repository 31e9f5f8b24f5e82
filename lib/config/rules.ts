import { canTag, definitionParameter } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { passwordPolicy } from '../../core/secret/password.ts';
import { longestGapHours } from '../../core/secret/schedule.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry } from '../../rotators/registry.ts';
import { checkPlaces } from './arn-places.ts';
import { checkLeads } from './leads.ts';
import { checkNetworks, checkReach } from './networks.ts';
import { passwordEnvironment, passwordsOf } from './passwords.ts';
import type { Problem } from './problem.ts';
import type { LooseConfiguration, LooseEnvironment, LooseSecret, PasswordConfiguration } from './schema.ts';
import { checkAlone, secretName } from './secret-rules.ts';
import { checkSignals } from './signals.ts';
import { checkTarget } from './targets.ts';

/** Checks what a schema cannot say: references between parts, and limits that depend on other values. */
export function checkRules(configuration: LooseConfiguration): Problem[] {
  return Object.entries(configuration.environments).flatMap(([name, environment]) =>
    checkEnvironment(name, environment).map(({ path, message }) => ({
      path: ['environments', name, ...path],
      message,
    })),
  );
}

function checkEnvironment(name: string, environment: LooseEnvironment): Problem[] {
  const problems = [
    ...checkPasswords(environment.passwords),
    ...checkNetworks(environment),
    ...checkPlaces(environment),
    ...checkWaivers(environment),
    ...checkLeads(environment),
    ...checkSignals(environment),
  ];
  const { byOwner } = environment.access;
  const owners = new Map<string, string>();
  for (const [key, secret] of Object.entries(environment.secrets)) {
    const path = ['secrets', key];
    for (const problem of checkSecret(key, secret, environment)) {
      problems.push({ path: [...path, ...problem.path], message: problem.message });
    }
    if (byOwner && !canTag(secret.owner)) {
      problems.push({
        path: [...path, 'owner'],
        message:
          'with access.byOwner it must be 1 to 128 letters, digits and _ . : / = + @ -, since it is the value of a tag and part of the source of an event',
      });
    }
    const fullName = secretName(name, secret);
    const other = owners.get(fullName);
    if (other !== undefined) {
      problems.push({ path, message: `names the same secret as ${other}: ${fullName}` });
    }
    owners.set(fullName, `secrets.${key}`);
    const parameter = definitionParameter(name, fullName);
    // SSM counts the whole ARN; the part before the name takes up to 70 of its 1,011 characters.
    if (parameter.length > 900) {
      problems.push({
        path,
        message: `the SSM parameter of its definition would have a name of ${parameter.length} characters; the most is 900`,
      });
    }
  }
  for (const [key, { adopt }] of Object.entries(environment.manualSecrets)) {
    const fullName = secretName(name, { adopt });
    const other = owners.get(fullName);
    if (other !== undefined) {
      problems.push({
        path: ['manualSecrets', key],
        message: `names the same secret as ${other}: ${fullName}; what rotates is replaced by nobody`,
      });
    }
    owners.set(fullName, `manualSecrets.${key}`);
  }
  for (const [key, honey] of Object.entries(environment.honeySecrets)) {
    const fullName = `/${name}/${honey.name}`;
    const other = owners.get(fullName);
    if (other !== undefined) {
      problems.push({
        path: ['honeySecrets', key],
        message: `names the same secret as ${other}: ${fullName}`,
      });
    }
    owners.set(fullName, `honeySecrets.${key}`);
  }
  return problems;
}

/** Refuses waivers of secrets that do not exist. */
function checkWaivers({ policy, secrets }: LooseEnvironment): Problem[] {
  return (policy?.waivers ?? []).flatMap(({ secret }, index) =>
    secret === undefined || Object.hasOwn(secrets, secret)
      ? []
      : [
          {
            path: ['policy', 'waivers', index, 'secret'],
            message: `no such secret; there are: ${list(secrets)}`,
          },
        ],
  );
}

function checkPasswords(passwords: PasswordConfiguration): Problem[] {
  try {
    passwordPolicy(passwordEnvironment(passwords));
    return [];
  } catch (error) {
    if (error instanceof RekeyError) {
      return [{ path: ['passwords'], message: error.message }];
    }
    throw error;
  }
}

function checkSecret(key: string, secret: LooseSecret, environment: LooseEnvironment): Problem[] {
  const problems: Problem[] = [];
  const supported: readonly string[] = registry[secret.type].strategies;
  if (!supported.includes(secret.strategy)) {
    problems.push({
      path: ['strategy'],
      message: `${secret.type} supports ${supported.join(', ')}`,
    });
  } else if (!environment.strategies.includes(secret.strategy)) {
    problems.push({
      path: ['strategy'],
      message: `this environment allows ${environment.strategies.join(', ')}`,
    });
  }
  if (secret.network !== undefined && !Object.hasOwn(environment.networks, secret.network)) {
    problems.push({
      path: ['network'],
      message: `no such network; there are: ${list(environment.networks)}`,
    });
  }
  problems.push(...checkReach(secret, environment));
  const entry: SecretTypeDescriptor = registry[secret.type];
  problems.push(
    ...checkAlone(secret),
    ...checkTarget(secret, environment),
    ...(secret.passwords === undefined ? [] : checkPasswords(passwordsOf(environment, secret))),
  );
  if (secret.passwords !== undefined && (entry.foreignFunction || entry.issued)) {
    problems.push({
      path: ['passwords'],
      message: `${secret.type}: Rekey generates no password for this type; leave it out`,
    });
  }
  if (secret.expires !== undefined && entry.foreignFunction) {
    problems.push({
      path: ['expires'],
      message: `${secret.type}: a function that is not Rekey's would rotate it after its end; leave it out, or give it an end there`,
    });
  }
  if (entry.unverifiable) {
    problems.push(...checkNoTarget(secret));
  }
  const admin = secret.adminSecret;
  if (admin !== undefined && 'secret' in admin) {
    if (admin.secret === key) {
      problems.push({ path: ['adminSecret', 'secret'], message: 'a secret cannot be its own admin secret' });
    } else if (!Object.hasOwn(environment.secrets, admin.secret)) {
      problems.push({
        path: ['adminSecret', 'secret'],
        message: `no such secret; there are: ${list(environment.secrets)}`,
      });
    }
  }
  if (admin !== undefined && 'adopt' in admin && admin.adopt === secret.adopt) {
    problems.push({ path: ['adminSecret', 'adopt'], message: 'a secret cannot be its own admin secret' });
  }
  const circle = adminCircle(key, environment);
  if (circle !== undefined) {
    problems.push({
      path: ['adminSecret', 'secret'],
      message: `the admin secrets go in a circle: ${circle}`,
    });
  }
  const schedule = secret.schedule ?? environment.rotation.schedule;
  const days = longestGapHours(schedule) / 24;
  const maximumAgeDays = secret.maximumAgeDays ?? environment.rotation.maximumAgeDays;
  if (days > maximumAgeDays) {
    problems.push({
      path: ['schedule'],
      message: `${secret.schedule === undefined ? `the environment's ${schedule}: ` : ''}every ${Number(days.toFixed(1))} days is rarer than the maximum age of ${maximumAgeDays} days`,
    });
  }
  return problems;
}

/** Refuses settings of the way to a target for a type that has no target. */
function checkNoTarget(secret: LooseSecret): Problem[] {
  const set: Readonly<Record<string, boolean>> = {
    network: secret.network !== undefined,
    certificateAuthority: secret.certificateAuthority !== undefined,
    allowPlaintext: secret.allowPlaintext,
    allowPrivateAddresses: secret.allowPrivateAddresses,
    adminSecret: secret.adminSecret !== undefined,
  };
  return Object.keys(set)
    .filter((setting) => set[setting])
    .map((setting) => ({
      path: [setting],
      message: `${secret.type}: Rekey logs in to nothing for this type; leave it out`,
    }));
}

/** Finds the way from a secret through its admin secrets back to itself. A secret that names itself is no such circle. */
function adminCircle(key: string, { secrets }: LooseEnvironment): string | undefined {
  const way = [key];
  for (;;) {
    const admin = secrets[way.at(-1) ?? '']?.adminSecret;
    if (admin === undefined || !('secret' in admin)) {
      return undefined;
    }
    if (way.includes(admin.secret)) {
      return admin.secret === key && way.length > 1 ? [...way, key].join(' → ') : undefined;
    }
    way.push(admin.secret);
  }
}

const list = (record: object): string => Object.keys(record).join(', ') || 'none';

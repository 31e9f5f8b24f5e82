import { secretRule } from '../define.ts';
import type { SecretFacts } from '../facts.ts';

const isSameLogin = (one: NonNullable<SecretFacts['login']>, other: SecretFacts['login']): boolean =>
  other !== undefined &&
  one.host.toLowerCase() === other.host.toLowerCase() &&
  one.port === other.port &&
  one.username === other.username;

export const secretShared = secretRule({
  id: 'SecretShared',
  severity: 'error',
  goesBy: 'require.separateEnvironments',
  demand: 'An environment has its secrets for itself.',
  reason: 'A leak in the lesser environment is a leak in the other one, and both rotate one value.',
  controls: [
    'ISO 27001:2022 A.8.31',
    'PCI DSS 4.0.1 6.5.3',
    'OWASP NHI 2025 NHI8',
    'OWASP NHI 2025 NHI9',
    'SOC 2 CC6.1',
  ],
  examine: ({ path, origin, name, login, type }, _, { environment, environments }) => {
    const other = environments
      .filter((one) => one !== environment)
      .flatMap(({ secrets }) => secrets)
      .find(
        (one) =>
          (origin === 'adopted' && one.origin === 'adopted' && one.name === name && samePlace(one.path)) ||
          (login !== undefined && one.type === type && isSameLogin(login, one.login)),
      );
    function samePlace(otherPath: string): boolean {
      const there = environments.find(({ path: at }) => otherPath.startsWith(`${at}.`));
      return (
        (there?.account ?? environment.account) === (environment.account ?? there?.account) &&
        (there?.region ?? environment.region) === (environment.region ?? there?.region)
      );
    }
    return {
      setting: other === undefined ? 'of this environment alone' : `also ${other.path}`,
      from: path,
      ...(other !== undefined && {
        broken: {
          message: `${other.path} is the same ${other.name === name ? `secret (${name})` : 'user at the same host'}`,
          fix: 'Make a user and a secret for each environment.',
        },
      }),
    };
  },
});

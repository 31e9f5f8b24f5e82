import { environmentRule } from '../define.ts';

export const accountMissing = environmentRule({
  id: 'AccountMissing',
  severity: 'error',
  goesBy: 'require.account',
  demand: 'An environment names the account and the region that it is deployed to.',
  reason: 'Otherwise it lands wherever the credentials of the moment lead.',
  controls: ['ISO 27001:2022 A.8.31', 'SOC 2 CC8.1', 'NIST 800-53 r5 CM-2'],
  examine: ({ path, account, region }) => {
    const missing = [account === undefined && 'account', region === undefined && 'region'].filter(
      (name) => name !== false,
    );
    return {
      setting: `${account ?? 'any account'}, ${region ?? 'any region'}`,
      from: path,
      ...(missing.length > 0 && {
        broken: {
          message: `it names no ${missing.join(' and no ')}`,
          fix: `Set ${missing.map((name) => `${path}.${name}`).join(' and ')}.`,
        },
      }),
    };
  },
});

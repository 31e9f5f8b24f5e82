import { environmentRule } from '../define.ts';
import { separateDuties } from '../separation-of-duties.ts';

export const dutiesShareAccount = environmentRule({
  id: 'DutiesShareAccount',
  severity: 'warning',
  goesBy: 'require.separateDuties',
  demand: 'Duties that exclude each other name roles or users, and no account as a whole.',
  reason: 'An account lets in whomever its administrators allow, so one person may hold both duties.',
  controls: ['NIST 800-53 r5 AC-5', 'SOC 2 CC6.3', 'ISO 27001:2022 A.5.3'],
  examine: ({ path, access }) => {
    const shared = separateDuties(access, `${path}.access`).filter(({ severity }) => severity === 'warning');
    return {
      setting: shared.length === 0 ? 'named' : 'an account',
      from: `${path}.access`,
      ...(shared.length > 0 && {
        broken: {
          message: shared.map(({ message }) => message).join('; '),
          fix: [...new Set(shared.map(({ fix }) => fix))].join(' '),
        },
      }),
    };
  },
});

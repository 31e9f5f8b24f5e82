import { addDays } from '../../lifecycle/dates.ts';
import { days, environmentRule } from '../define.ts';

export const waiverTooLong = environmentRule({
  id: 'WaiverTooLong',
  severity: 'error',
  goesBy: 'waiverDays',
  demand: 'A waiver ends within the days that the policy says, and somebody decides again.',
  reason: 'A waiver without an end is a policy that nobody has agreed to.',
  controls: ['PCI DSS 4.0.1 12.3.1', 'ISO 27001:2022 A.5.36', 'SOC 2 CC4.2', 'NIST 800-53 r5 CA-5'],
  examine: ({ policy: { waivers } }, most, { today }) => {
    const latest = addDays(today, most);
    const long = waivers.filter(({ until }) => until > latest);
    return {
      setting: `${waivers.length} waiver${waivers.length === 1 ? '' : 's'}`,
      from: 'policy.waivers',
      ...(long.length > 0 && {
        broken: {
          message: `${long.map(({ path, until }) => `${path} ends on ${until}`).join(', ')}; the policy allows ${days(most)}, so until ${latest}`,
          fix: `Set until to ${latest} or earlier.`,
        },
      }),
    };
  },
});

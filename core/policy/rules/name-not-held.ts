import { environmentRule } from '../define.ts';

export const nameNotHeld = environmentRule({
  id: 'NameNotHeld',
  severity: 'error',
  goesBy: 'require.separateDuties',
  demand: 'Where a second person approves, AWS holds each session to the name of its person.',
  reason:
    'Otherwise whoever takes a role chooses the name, and one person under two names approves their own request.',
  controls: ['NIST 800-53 r5 AC-5', 'NIST 800-53 r5 IA-2', 'SOC 2 CC6.3', 'ISO 27001:2022 A.5.3'],
  examine: ({ path, approvedModes, sessionName }) =>
    approvedModes.length === 0
      ? undefined
      : {
          setting: sessionName ?? 'chosen by the caller',
          from: `${path}.access.sessionName`,
          ...(sessionName === undefined && {
            broken: {
              message: `a second person approves (${approvedModes.join(', ')}), and the caller chooses the name of a session`,
              fix: `Set ${path}.access.sessionName: aws:username for IAM users, aws:PrincipalTag/<key> for others.`,
            },
          }),
        },
});

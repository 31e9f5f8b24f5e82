import { environmentRule } from '../define.ts';

export const responderMissing = environmentRule({
  id: 'ResponderMissing',
  severity: 'error',
  goesBy: 'require.responders',
  demand: 'Somebody may revoke in an emergency.',
  reason: 'When a credential leaks, the first minutes go by while somebody looks for permissions.',
  controls: ['PCI DSS 4.0.1 12.10.1', 'NIST 800-53 r5 IR-4', 'ISO 27001:2022 A.5.26', 'SOC 2 CC7.4'],
  examine: ({ path, access }) => {
    const responders = access.responders ?? [];
    return {
      setting: responders.length === 0 ? 'nobody' : responders.join(', '),
      from: `${path}.access.responders`,
      ...(responders.length === 0 && {
        broken: {
          message: 'access.responders names nobody',
          fix: `Name the roles of those on call in ${path}.access.responders.`,
        },
      }),
    };
  },
});

import { secretRule } from '../define.ts';

export const plaintextAllowed = secretRule({
  id: 'PlaintextAllowed',
  severity: 'error',
  goesBy: 'require.tls',
  demand: 'Credentials travel to their targets over TLS alone.',
  reason: 'Whoever listens on the way has the credential, and no log shows it.',
  controls: [
    'PCI DSS 4.0.1 8.3.2',
    'NIST 800-53 r5 SC-8',
    'ISO 27001:2022 A.8.24',
    'SOC 2 CC6.7',
    'OWASP NHI 2025 NHI4',
  ],
  examine: ({ path, allowPlaintext, fields }) => {
    const off = fields.ssl === false;
    return {
      setting: off ? 'ssl: false' : allowPlaintext.value ? 'plaintext permitted' : 'TLS',
      from: off ? `${path}.create.fields.ssl` : allowPlaintext.from,
      ...((off || allowPlaintext.value) && {
        broken: {
          message: off
            ? 'it logs in over plaintext (ssl: false)'
            : 'it may log in over plaintext where the server offers no TLS (allowPlaintext)',
          fix: `Turn TLS on at the server, and remove ${path}.${off ? 'create.fields.ssl' : 'allowPlaintext'}.`,
        },
      }),
    };
  },
});

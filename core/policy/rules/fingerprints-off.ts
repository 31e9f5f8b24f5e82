import { environmentRule } from '../define.ts';

export const fingerprintsOff = environmentRule({
  id: 'FingerprintsOff',
  severity: 'warning',
  goesBy: 'require.fingerprints',
  demand: 'A value that was found somewhere leads to the secret that it is of.',
  reason:
    'A leak is reported as a value; without fingerprints somebody compares it with every secret by hand.',
  controls: [
    'PCI DSS 4.0.1 12.10.1',
    'NIST 800-53 r5 IR-4(1)',
    'ISO 27001:2022 A.5.26',
    'SOC 2 CC7.4',
    'OWASP NHI 2025 NHI2',
  ],
  examine: ({ path, hasFingerprints }) => ({
    setting: hasFingerprints ? 'kept' : 'none',
    from: hasFingerprints ? `${path}.fingerprints` : 'default',
    ...(!hasFingerprints && {
      broken: {
        message: 'fingerprints is off, so rekey whose finds nothing',
        fix: `Set ${path}.fingerprints to true.`,
      },
    }),
  }),
});

import { secretRule } from '../define.ts';

export const passwordTooWeak = secretRule({
  id: 'PasswordTooWeak',
  severity: 'error',
  goesBy: 'passwordBits',
  demand: 'Generated passwords have at least the entropy that the policy says.',
  reason: 'A password that can be guessed offline from its stored hash needs no leak.',
  controls: ['PCI DSS 4.0.1 8.6.3', 'NIST 800-53 r5 IA-5(1)', 'ISO 27001:2022 A.5.17'],
  examine: ({ path, passwordBits }, least) =>
    passwordBits && {
      setting: `${Math.floor(passwordBits.value)} bits`,
      from: passwordBits.from,
      ...(passwordBits.value < least && {
        broken: {
          message: `its passwords have ${Math.floor(passwordBits.value)} bits of entropy; the policy asks for ${least}`,
          fix: `Make ${passwordBits.from === 'default' ? `${path}.passwords` : passwordBits.from} longer, or exclude fewer characters.`,
        },
      }),
    },
});

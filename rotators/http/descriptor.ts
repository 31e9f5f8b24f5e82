import type { SecretTypeDescriptor } from '../descriptor.ts';

/** Describes the secret type `http` to the configuration, the constructs, the documentation and the suite. */
export const descriptor = {
  title: 'HTTP APIs',
  needsInternet: { for: 'HTTP APIs on the internet', unlessPrivate: true },
  strategies: ['single-user', 'dual-credential'],
  needsAdmin: [],
  database: false,
  verifiedOn: ['an HTTPS server of the test suite'],
  issued: true,
  adminDecides: true,
} as const satisfies SecretTypeDescriptor;

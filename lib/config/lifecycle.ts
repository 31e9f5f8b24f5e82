import type { EnvironmentConfiguration } from './schema.ts';

/** Tells whether something in an environment has dates or owners to be looked after. */
export const hasLifecycle = ({
  lifecycle,
  manualSecrets,
  secrets,
}: Pick<EnvironmentConfiguration, 'lifecycle' | 'manualSecrets' | 'secrets'>): boolean =>
  lifecycle !== undefined ||
  Object.keys(manualSecrets).length > 0 ||
  Object.values(secrets).some(({ expires }) => expires !== undefined);

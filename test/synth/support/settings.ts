import { defineConfig } from '../../../lib/config/config.ts';
import type { ConfigurationInput } from '../../../lib/config/schema.ts';

export const secret = {
  type: 'postgresql',
  strategy: 'single-user',
  create: { name: 'orders', fields: { engine: 'postgres', host: 'db', username: 'orders' } },
  owner: 'team-orders',
};
export const adopted = { type: 'postgresql', strategy: 'single-user', adopt: 'orders', owner: 'team-orders' };
export const functionArn = 'arn:aws:lambda:eu-central-1:111122223333:function:oracle';
export const environment = { audit: { retentionDays: 30 } };

/** One environment `dev` with some settings replaced; loosely typed, because the tests put wrong values in. */
export const dev = (settings: object): ConfigurationInput =>
  ({ environments: { dev: { ...environment, ...settings } } }) as ConfigurationInput;
export const withSecret = (settings: object): ConfigurationInput =>
  dev({ secrets: { orders: { ...secret, ...settings } } });

/** What a configuration is refused with, or `accepted`. */
export function messageOf(input: ConfigurationInput): string {
  try {
    defineConfig(input);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

import { defineConfig } from '../../../lib/config/config.ts';
import type { ConfigurationInput } from '../../../lib/config/schema.ts';
import type { SecretTypeDescriptor } from '../../../rotators/descriptor.ts';
import { registry, secretTypes } from '../../../rotators/registry.ts';

const common = { account: '111122223333', region: 'eu-central-1', audit: { retentionDays: 30 } } as const;

/** An environment with one secret of each type, and of each strategy that works without more. */
export const ofEveryType = defineConfig({
  environments: {
    types: {
      ...common,
      secrets: Object.fromEntries(
        secretTypes.map((type) => {
          const entry: SecretTypeDescriptor = registry[type];
          const strategy = entry.strategies.find((one) => !entry.needsAdmin.includes(one));
          return [
            type,
            {
              type,
              strategy,
              adopt: `secret/${type}`,
              owner: 'team',
              ...(entry.aws !== undefined && {
                resources: [entry.aws.resources.example.replace(/:\d{12}:/, `:${common.account}:`)],
              }),
              ...(entry.foreignFunction !== undefined && {
                rotationFunction: 'arn:aws:lambda:eu-central-1:111122223333:function:theirs',
              }),
            },
          ];
        }),
      ),
    },
  },
} as unknown as ConfigurationInput);

import { defineConfig } from '../../lib/config/config.ts';
import type { ConfigurationInput } from '../../lib/config/schema.ts';
import { assignShards } from '../../lib/config/shards/assignment.ts';
import { demandsOf } from '../../lib/config/shards/capacity.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { synthesizeApp } from '../synthesis.ts';
import type { PricedTemplate } from './monthly.ts';

type EnvironmentInput = ConfigurationInput['environments'][string];

/** An option that a team may switch on, as its addition to the configuration. */
export interface Option {
  readonly name: string;
  readonly settings: Partial<EnvironmentInput>;
  /** Puts the secrets into the network that the option makes. */
  readonly network?: string;
}

/** Options whose price is stated apart; one that is off creates nothing. */
export const options: readonly Option[] = [
  {
    name: 'a network that Rekey creates, in two zones',
    settings: {
      networks: {
        fresh: {
          create: {
            availabilityZones: 2,
            connect: [{ to: '10.1.0.0/16', vpcId: 'vpc-0a1b2c3d4e5f60718' }],
            egress: [{ to: '10.1.0.0/16', port: 5432 }],
          },
        },
      },
    },
    network: 'fresh',
  },
  {
    name: 'roles of operators, responders and auditors',
    settings: {
      access: { operators: ['111122223333'], responders: ['111122223333'], auditors: ['111122223333'] },
    },
  },
  {
    name: 'reserved concurrency for the emergency path',
    settings: { reservedConcurrency: { intake: 5, containment: 10, workflow: 5, writer: 1 } },
  },
  { name: 'an archive of events', settings: { eventArchiveDays: 30 } },
  { name: 'mails of alarms', settings: { notifications: { emails: ['platform@example.com'] } } },
];

/** Synthesizes an environment of so many PostgreSQL secrets, without bundling its functions. */
export function templatesFor(secrets: number, option?: Option): PricedTemplate[] {
  const { environments } = defineConfig({
    environments: {
      prod: {
        account: '111122223333',
        region: 'us-east-1',
        audit: { retentionDays: 365 },
        ...option?.settings,
        secrets: Object.fromEntries(
          Array.from({ length: secrets }, (_, index) => [
            `service-${index}`,
            {
              type: 'postgresql' as const,
              strategy: 'single-user' as const,
              create: {
                name: `service-${index}/database`,
                fields: { engine: 'postgres', host: '10.1.0.10', username: `service_${index}` },
              },
              adminSecret: { adopt: 'database/admin' },
              owner: 'team',
              ...(option?.network !== undefined && { network: option.network }),
            },
          ]),
        ),
      },
    },
  });
  const configuration = environments.prod;
  if (configuration === undefined) throw new Error('no environment');
  const shards = assignShards(demandsOf('prod', configuration), {
    environment: 'prod',
    nothingDeployed: true,
  });
  return synthesizeApp(
    (app) => new RekeyEnvironment(app, 'prod', { configuration, directory: import.meta.dirname, shards }),
    ({ template }): PricedTemplate => template,
    { skipValidation: true },
  );
}

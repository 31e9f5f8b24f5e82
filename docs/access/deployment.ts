import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { synthesizeApp } from '../synthesis.ts';

/** Account and region that both environments of the matrix are deployed to: the hardest case for keeping them apart. */
export const account = '111122223333';
export const region = 'eu-central-1';
export const environments = ['prod', 'test'] as const;
export type Environment = (typeof environments)[number];

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** A deployed stack: its resources by logical id, and what it exports by name. */
export interface Stack {
  readonly name: string;
  readonly resources: Readonly<Record<string, Resource>>;
  readonly outputs: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>
  >;
}

/** Synthesizes two environments of one account. Each has a secret that Rekey creates, one that it adopts, and all roles of people. */
export function synthesize(): readonly Stack[] {
  const settings = (environment: Environment) => ({
    account,
    region,
    audit: { retentionDays: 30 },
    access: {
      operators: [account],
      responders: [account],
      auditors: [account],
      policyAuthors: [account],
      approvers: [account],
    },
    secrets: {
      orders: {
        type: 'postgresql' as const,
        strategy: 'single-user' as const,
        create: {
          name: 'orders/db',
          fields: { engine: 'postgres', host: 'db.internal', username: 'orders' },
        },
        adminSecret: { adopt: `${environment}-admin` },
        owner: 'team-orders',
      },
      billing: {
        type: 'postgresql' as const,
        strategy: 'single-user' as const,
        adopt: `${environment}/billing-database`,
        owner: 'team-orders',
      },
    },
  });
  const configuration = defineConfig({ environments: { prod: settings('prod'), test: settings('test') } });
  return synthesizeApp(
    (app) => {
      for (const [name, environment] of Object.entries(configuration.environments)) {
        new RekeyEnvironment(app, name, { configuration: environment, directory: import.meta.dirname });
      }
    },
    ({ stackName, template }) => ({
      name: stackName,
      resources: template.Resources ?? {},
      outputs: template.Outputs ?? {},
    }),
  );
}

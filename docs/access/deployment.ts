import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';

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

const { context }: { context: Record<string, unknown> } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'cdk.json'), 'utf8'),
);

/** Synthesizes two environments of one account. Each has a secret that Rekey creates, one that it adopts, and all three roles. */
export function synthesize(): readonly Stack[] {
  const settings = (environment: Environment) => ({
    account,
    region,
    audit: { retentionDays: 30 },
    access: { operators: [account], responders: [account], auditors: [account] },
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
  const outdir = mkdtempSync(join(tmpdir(), 'rekey-access-'));
  try {
    const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] }, outdir });
    for (const [name, environment] of Object.entries(configuration.environments)) {
      new RekeyEnvironment(app, name, { configuration: environment, directory: import.meta.dirname });
    }
    return app.synth().stacks.map(({ stackName, template }) => ({
      name: stackName,
      resources: template.Resources ?? {},
      outputs: template.Outputs ?? {},
    }));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

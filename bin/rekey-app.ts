import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { loadConfiguration, selectEnvironment } from '../lib/config/config.ts';
import { demandsOf } from '../lib/config/shards/capacity.ts';
import { recordedShards, shardFileName } from '../lib/config/shards/record.ts';
import { RekeyEnvironment } from '../lib/rekey-environment.ts';

/**
 * The CDK app: `-c config=<path>` names the configuration file (default `rekey.config.ts`), `-c environment=<name>`
 * the environment in it (default: the first). Which rotation stack each secret is in stands in `rekey.shards.json` beside
 * the configuration, or in the file of `-c shards=<path>`; `-c deployed=nothing` says that any assignment is right, and
 * `-c shards-locked=true` that this file must not change.
 */
const app = new App();
const text = (key: string): string | undefined => {
  const value: unknown = app.node.tryGetContext(key);
  return typeof value === 'string' ? value : undefined;
};
const { configuration, directory } = await loadConfiguration(text('config') ?? 'rekey.config.ts');
const { name, environment } = selectEnvironment(configuration, text('environment'));
const shards = recordedShards(
  text('shards') ?? join(directory, shardFileName),
  demandsOf(name, environment),
  {
    environment: name,
    nothingDeployed: text('deployed') === 'nothing',
    locked: text('shards-locked') === 'true',
  },
);
new RekeyEnvironment(app, name, { configuration: environment, within: configuration, directory, shards });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();

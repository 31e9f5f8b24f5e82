import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { loadConfiguration, selectEnvironment } from '../lib/config/config.ts';
import { RekeyEnvironment } from '../lib/stacks/rekey-environment.ts';

/**
 * The CDK app: `-c config=<path>` names the configuration file (default `rekey.config.ts`), `-c environment=<name>`
 * the environment in it (default: the first).
 */
const app = new App();
const text = (key: string): string | undefined => {
  const value: unknown = app.node.tryGetContext(key);
  return typeof value === 'string' ? value : undefined;
};
const { configuration, directory } = await loadConfiguration(text('config') ?? 'rekey.config.ts');
const { name, environment } = selectEnvironment(configuration, text('environment'));
new RekeyEnvironment(app, name, { configuration: environment, directory });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();

import {
  App,
  type IPolicyValidationPlugin,
  type IPolicyValidationPluginBeta1,
  Validations,
} from 'aws-cdk-lib';
import { RekeyPolicyValidation, type RekeyPolicyValidationProps } from '../../lib/index.ts';
import { same } from './same.ts';

// The plugin goes to both doors of the CDK.
const plugin = new RekeyPolicyValidation();
const stable: IPolicyValidationPlugin = plugin;
const beta: IPolicyValidationPluginBeta1 = plugin;
const app = new App({ policyValidationBeta1: [beta] });
Validations.of(app).addPlugins(
  stable,
  new RekeyPolicyValidation({ maximumRotationDays: 30, environments: ['eu'] }),
);

const props: RekeyPolicyValidationProps = { maximumRotationDays: 30 };
same<RekeyPolicyValidation>()(new RekeyPolicyValidation(props));
same<string>()(plugin.name);

// @ts-expect-error a limit is a number of days.
new RekeyPolicyValidation({ maximumRotationDays: '30' });
// @ts-expect-error no setting turns a rule off; an acknowledgement does, with a reason.
new RekeyPolicyValidation({ rules: [] });

import { cloudformation } from './cloudformation.ts';
import { dockerCompose } from './docker-compose.ts';
import { dotenv } from './dotenv.ts';
import { dotnet } from './dotnet.ts';
import { ecsTaskDefinition } from './ecs-task-definition.ts';
import { externalSecret } from './external-secret.ts';
import type { ManifestFinder } from './finder.ts';
import { githubActions } from './github-actions.ts';
import { gitlabCi } from './gitlab-ci.ts';
import { helmValues } from './helm-values.ts';
import { lambdaConfiguration } from './lambda-configuration.ts';
import { rekeyManifest } from './rekey-manifest.ts';
import { secretsStoreCsi } from './secrets-store-csi.ts';
import { spring } from './spring.ts';
import { terraformPlan } from './terraform-plan.ts';

/** Every finder, in the order in which a file is tried: what its content says goes before its name. */
export const manifestFinders: readonly ManifestFinder[] = [
  rekeyManifest,
  terraformPlan,
  cloudformation,
  ecsTaskDefinition,
  lambdaConfiguration,
  externalSecret,
  secretsStoreCsi,
  githubActions,
  dockerCompose,
  helmValues,
  spring,
  dotnet,
  gitlabCi,
  dotenv,
];

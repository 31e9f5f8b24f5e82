import { recipeBook } from '../recipe-book.ts';
import cloudflareAccountApiToken from './cloudflare-account-api-token.json' with { type: 'json' };
import cloudflareUserApiToken from './cloudflare-user-api-token.json' with { type: 'json' };
import confluentKafkaApiKey from './confluent-kafka-api-key.json' with { type: 'json' };
import databricksServicePrincipalSecret from './databricks-service-principal-secret.json' with {
  type: 'json',
};
import datadogApiKey from './datadog-api-key.json' with { type: 'json' };
import datadogServiceAccessToken from './datadog-service-access-token.json' with { type: 'json' };
import dockerOrganizationToken from './docker-organization-token.json' with { type: 'json' };
import elasticsearchApiKey from './elasticsearch-api-key.json' with { type: 'json' };
import entraApplicationSecret from './entra-application-secret.json' with { type: 'json' };
import gitlabGroupAccessToken from './gitlab-group-access-token.json' with { type: 'json' };
import gitlabProjectAccessToken from './gitlab-project-access-token.json' with { type: 'json' };
import gitlabServiceAccountToken from './gitlab-service-account-token.json' with { type: 'json' };
import grafanaServiceAccountToken from './grafana-service-account-token.json' with { type: 'json' };
import herokuAuthorization from './heroku-authorization.json' with { type: 'json' };
import jfrogAccessToken from './jfrog-access-token.json' with { type: 'json' };
import mongodbAtlasServiceAccountSecret from './mongodb-atlas-service-account-secret.json' with {
  type: 'json',
};
import oktaClientSecret from './okta-client-secret.json' with { type: 'json' };
import openaiServiceAccountKey from './openai-service-account-key.json' with { type: 'json' };
import sendgridApiKey from './sendgrid-api-key.json' with { type: 'json' };
import terraformTeamToken from './terraform-team-token.json' with { type: 'json' };
import twilioApiKey from './twilio-api-key.json' with { type: 'json' };
import vercelProjectToken from './vercel-project-token.json' with { type: 'json' };

/** Every recipe by its name, which is that of its file. A recipe of your own is a file here and a line in this list. */
const files: Readonly<Record<string, unknown>> = {
  'cloudflare-account-api-token': cloudflareAccountApiToken,
  'cloudflare-user-api-token': cloudflareUserApiToken,
  'confluent-kafka-api-key': confluentKafkaApiKey,
  'databricks-service-principal-secret': databricksServicePrincipalSecret,
  'datadog-api-key': datadogApiKey,
  'datadog-service-access-token': datadogServiceAccessToken,
  'docker-organization-token': dockerOrganizationToken,
  'elasticsearch-api-key': elasticsearchApiKey,
  'entra-application-secret': entraApplicationSecret,
  'gitlab-group-access-token': gitlabGroupAccessToken,
  'gitlab-project-access-token': gitlabProjectAccessToken,
  'gitlab-service-account-token': gitlabServiceAccountToken,
  'grafana-service-account-token': grafanaServiceAccountToken,
  'heroku-authorization': herokuAuthorization,
  'jfrog-access-token': jfrogAccessToken,
  'mongodb-atlas-service-account-secret': mongodbAtlasServiceAccountSecret,
  'okta-client-secret': oktaClientSecret,
  'openai-service-account-key': openaiServiceAccountKey,
  'sendgrid-api-key': sendgridApiKey,
  'terraform-team-token': terraformTeamToken,
  'twilio-api-key': twilioApiKey,
  'vercel-project-token': vercelProjectToken,
};

/** The recipes that functions are built with. */
export const recipes = recipeBook(files);

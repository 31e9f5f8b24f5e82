import type { Cloud, CloudChoice } from '../../core/operator-ports.ts';
import { traceCalls } from './call-trace.ts';

/** The options that the constructor of every AWS SDK v3 client takes here. */
interface ClientOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly maxAttempts: number;
  readonly requestHandler: { readonly connectionTimeout: number; readonly requestTimeout: number };
}

/** Keeps what `make` returned the first time. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * Makes the operator CLI's view of AWS. Each client is loaded when a command first needs it, which keeps the start fast, and
 * remembers which action failed, see `call-trace.ts`.
 */
export function awsCloud({ region, profile }: CloudChoice): Cloud {
  const options: ClientOptions = {
    maxAttempts: 3,
    // A person waits: an endpoint that is not there is to be named in seconds.
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 20_000 },
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
  };
  const secretsManager = once(async () => {
    const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    return traceCalls(new SecretsManagerClient(options), 'secretsmanager');
  });
  const ssm = once(async () => {
    const { SSMClient } = await import('@aws-sdk/client-ssm');
    return traceCalls(new SSMClient(options), 'ssm');
  });
  const eventBridge = once(async () => {
    const { EventBridgeClient } = await import('@aws-sdk/client-eventbridge');
    return traceCalls(new EventBridgeClient(options), 'events');
  });
  const s3 = once(async () => {
    const { S3Client } = await import('@aws-sdk/client-s3');
    return traceCalls(new S3Client(options), 's3');
  });
  const secrets = once(async () => {
    const { SecretsManagerStore } = await import('../secret-store.ts');
    return new SecretsManagerStore(await secretsManager());
  });
  return {
    identity: once(async () => {
      const [{ STSClient }, { callerIdentity }] = await Promise.all([
        import('@aws-sdk/client-sts'),
        import('./identity.ts'),
      ]);
      return await callerIdentity(traceCalls(new STSClient(options), 'sts'));
    }),
    deployments: once(async () => {
      const { SsmDeployments } = await import('./deployment.ts');
      return new SsmDeployments(await ssm());
    }),
    definitions: async (environment) => {
      const { SsmDefinitionStore } = await import('../definition-store.ts');
      return new SsmDefinitionStore(await ssm(), environment);
    },
    secrets,
    secretValues: secrets,
    rotations: once(async () => {
      const { SecretsManagerRotation } = await import('../rotation-control.ts');
      return new SecretsManagerRotation(await secretsManager());
    }),
    brakes: async (environment) => {
      const { SsmBrakes } = await import('../brake-store.ts');
      return new SsmBrakes(await ssm(), environment);
    },
    approvals: async (environment, facts) => {
      const [{ LambdaClient }, { LambdaApprovals }] = await Promise.all([
        import('@aws-sdk/client-lambda'),
        import('./approvals.ts'),
      ]);
      const lambda = traceCalls(new LambdaClient(options), 'lambda');
      return new LambdaApprovals(lambda, environment, facts);
    },
    bus: async (name) => {
      const { EventBridgeBus } = await import('../event-bus.ts');
      return new EventBridgeBus(await eventBridge(), name);
    },
    rules: once(async () => {
      const { EventBridgeRules } = await import('./bus-rules.ts');
      return new EventBridgeRules(await eventBridge());
    }),
    queues: once(async () => {
      const [{ SQSClient }, { SqsQueues }] = await Promise.all([
        import('@aws-sdk/client-sqs'),
        import('./queue-depth.ts'),
      ]);
      return new SqsQueues(traceCalls(new SQSClient(options), 'sqs'));
    }),
    functions: once(async () => {
      const [{ LambdaClient }, { LambdaFunctions }] = await Promise.all([
        import('@aws-sdk/client-lambda'),
        import('./function-state.ts'),
      ]);
      return new LambdaFunctions(traceCalls(new LambdaClient(options), 'lambda'));
    }),
    logs: once(async () => {
      const [{ CloudWatchLogsClient }, { CloudWatchLogs }] = await Promise.all([
        import('@aws-sdk/client-cloudwatch-logs'),
        import('./function-logs.ts'),
      ]);
      return new CloudWatchLogs(traceCalls(new CloudWatchLogsClient(options), 'logs'));
    }),
    workflows: once(async () => {
      const [{ SFNClient }, { StepFunctionsWorkflows }] = await Promise.all([
        import('@aws-sdk/client-sfn'),
        import('./workflows.ts'),
      ]);
      return new StepFunctionsWorkflows(traceCalls(new SFNClient(options), 'states'));
    }),
    fingerprints: once(async () => {
      const [{ LambdaClient }, { LambdaFingerprints }] = await Promise.all([
        import('@aws-sdk/client-lambda'),
        import('../fingerprint-calls.ts'),
      ]);
      return new LambdaFingerprints(traceCalls(new LambdaClient(options), 'lambda'));
    }),
    plans: once(async () => {
      const [{ LambdaClient }, { LambdaPlanPreviews }] = await Promise.all([
        import('@aws-sdk/client-lambda'),
        import('./plan-previews.ts'),
      ]);
      return new LambdaPlanPreviews(traceCalls(new LambdaClient(options), 'lambda'));
    }),
    accessKeys: once(async () => {
      const [{ IAMClient }, { IamAccessKeys }] = await Promise.all([
        import('@aws-sdk/client-iam'),
        import('./access-keys.ts'),
      ]);
      return new IamAccessKeys(traceCalls(new IAMClient(options), 'iam'));
    }),
    auditObjects: async (bucket) => {
      const { S3AuditObjects } = await import('./audit-objects.ts');
      return new S3AuditObjects(await s3(), bucket);
    },
    auditSource: async (bucket) => {
      const { S3AuditStore } = await import('../audit-store.ts');
      return new S3AuditStore(await s3(), bucket);
    },
    manualSecrets: async (environment) => {
      const { SsmManualSecrets } = await import('../manual-secrets.ts');
      return new SsmManualSecrets(await ssm(), environment);
    },
    preflight: async (prober) => (await import('./preflight-cloud.ts')).openPreflight(options, prober),
    legalHolds: async (bucket) => {
      const { S3LegalHolds } = await import('./legal-holds.ts');
      return new S3LegalHolds(await s3(), bucket);
    },
  };
}

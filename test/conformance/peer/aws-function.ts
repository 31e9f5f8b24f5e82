import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A program that has the modules of AWS's functions (boto3, pgdb, pymysql); Debian's packages are for this one. */
const python = process.env.REKEY_PEER_PYTHON ?? '/usr/bin/python3';

/** One of AWS's functions in a process of its own. */
export interface AwsFunction {
  /** @returns why the step failed, or undefined */
  run(step: string, secretId: string, token: string): Promise<string | undefined>;
  end(): void;
}

/**
 * Starts a function of a checkout of aws-samples/aws-secrets-manager-rotation-lambdas, as it is there.
 * @param name - of its folder, such as `SecretsManagerRDSPostgreSQLRotationSingleUser`
 * @param endpoint - what stands in for Secrets Manager
 */
export function startAwsFunction(checkout: string, name: string, endpoint: string): AwsFunction {
  const child = spawn(
    python,
    [join(import.meta.dirname, 'function.py'), join(checkout, name, 'lambda_function.py')],
    {
      env: {
        ...process.env,
        SECRETS_MANAGER_ENDPOINT: endpoint,
        AWS_DEFAULT_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        PYTHONDONTWRITEBYTECODE: '1',
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(step, secretId, token) {
      child.stdin.write(`${JSON.stringify({ Step: step, SecretId: secretId, ClientRequestToken: token })}\n`);
      const { value } = await lines.next();
      if (value === undefined) throw new Error(`${name} ended; ${python} may lack boto3, pgdb or pymysql`);
      const { done, error } = JSON.parse(value) as { done: boolean; error?: string };
      return done ? undefined : error;
    },
    end: () => {
      child.stdin.end();
      child.kill();
    },
  };
}

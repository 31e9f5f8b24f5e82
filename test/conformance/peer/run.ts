import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [checkout = ''] = process.argv.slice(2);
if (!existsSync(join(checkout, 'SecretsManagerRDSPostgreSQLRotationSingleUser', 'lambda_function.py'))) {
  console.error(
    `usage: npm run peer -- <path>\n\n"${checkout}" is no checkout of github.com/aws-samples/aws-secrets-manager-rotation-lambdas.\n` +
      'Its functions need boto3, pgdb and pymysql: apt-get install -y python3-boto3 python3-pygresql python3-pymysql;\n' +
      'REKEY_PEER_PYTHON names another Python, REKEY_PEER_RUNS the histories of each function (40),\n' +
      'REKEY_RECORD=1 records anew what `npm test` replays.',
  );
  process.exit(2);
}
const { status } = spawnSync(
  'npm',
  ['run', '-s', 'jest', '--', '--selectProjects', 'conformance', '--testPathPatterns', 'conformance/peer'],
  {
    env: { REKEY_PEER_RUNS: '40', ...process.env, REKEY_AWS_FUNCTIONS: resolve(checkout) },
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);

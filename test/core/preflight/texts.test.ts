import { describe, expect, test } from '@jest/globals';
import { parseManifest } from '../../../core/preflight/document.ts';
import { findersOf, readManifest, surroundingsOf } from '../../../core/preflight/read.ts';
import { readsIn } from '../../../core/preflight/scripts.ts';
import { secretsOfVariable, secretWithParts, valueFromOf } from '../../../core/preflight/secret-id.ts';

const call = 'aws secretsmanager get-secret-value';

describe('calls in scripts', () => {
  test.each([
    ['plain', `${call} --secret-id a`, [{ secret: 'a' }]],
    ['joined by =', `${call} --secret-id=a --region=eu-west-1`, [{ secret: 'a', region: 'eu-west-1' }]],
    ['in double quotes', `X="$(${call} --secret-id "a/b" --query SecretString)"`, [{ secret: 'a/b' }]],
    ['in a text for another shell', `bash -c "${call} --secret-id a"`, [{ secret: 'a' }]],
    ['in a text with escaped quotes', `bash -c "${call} --secret-id \\"a\\" "`, [{ secret: 'a' }]],
    ['two of them', `${call} --secret-id a; ${call} --secret-id b`, [{ secret: 'a' }, { secret: 'b' }]],
    [
      'of many',
      'aws secretsmanager batch-get-secret-value --secret-id-list a b --region x-1',
      [
        { secret: 'a', region: 'x-1' },
        { secret: 'b', region: 'x-1' },
      ],
    ],
    [
      'options before',
      'aws --profile p --region eu-west-1 secretsmanager get-secret-value --secret-id a',
      [{ secret: 'a', region: 'eu-west-1' }],
    ],
    [
      'over lines',
      `${call} \\\n  --version-stage S \\\n  --secret-id a`,
      [{ secret: 'a', versionStage: 'S' }],
    ],
    [
      'with jq',
      `${call} --secret-id a --query SecretString --output text | jq -r .k.l`,
      [{ secret: 'a', key: 'k.l' }],
    ],
    [
      'with jq in two steps',
      `${call} --secret-id a | jq -r '.SecretString' | jq -r '.k'`,
      [{ secret: 'a', key: 'k' }],
    ],
    [
      'with jq of JSON in JSON',
      `${call} --secret-id a | jq -r '.SecretString | fromjson | .k'`,
      [{ secret: 'a', key: 'k' }],
    ],
    ['with jq of the answer', `${call} --secret-id a | jq -r .ARN`, [{ secret: 'a' }]],
    ['by a variable of the script', `ID="a"\n${call} --secret-id "$ID"`, [{ secret: 'a' }]],
    ['by a default', `${call} --secret-id "\${ID:-a}"`, [{ secret: 'a' }]],
    [
      'of PowerShell',
      'Get-SECSecretValue -SecretId a -Region eu-west-1',
      [{ secret: 'a', region: 'eu-west-1' }],
    ],
    ['in a comment', `# ${call} --secret-id a`, []],
    ['behind a command', `ls # ${call} --secret-id a`, []],
    ['that is printed', `echo "run ${call} --secret-id a"`, []],
    ['that is run while something is printed', `echo "$(${call} --secret-id a)"`, [{ secret: 'a' }]],
    ['without an id', `${call} --help`, []],
    ['that reads nothing', 'aws secretsmanager describe-secret --secret-id a', []],
  ])('%s', (_, script, expected) => {
    expect(readsIn(script).map(({ line, ...read }) => read)).toEqual(expected);
  });

  test('lines are counted, also within a command', () => {
    expect(
      readsIn(`x\n${call} --secret-id a\n\ny \\\n  && ${call} --secret-id b`).map(({ line }) => line),
    ).toEqual([1, 4]);
  });
});

describe('variables', () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbCdEf';
  test.each([
    ['DB_SECRET_ARN', arn, [{ kind: 'secret', secret: arn }]],
    ['ANYTHING', arn, [{ kind: 'secret', secret: arn }]],
    ['ANYTHING', `${arn}:k::`, [{ kind: 'secret', secret: arn, key: 'k' }]],
    ['dbSecretName', 'a', [{ kind: 'secret', secret: 'a' }]],
    ['SECRETS_MANAGER_SECRET_ID', 'a', [{ kind: 'secret', secret: 'a' }]],
    [
      'X',
      'aws-secretsmanager://a?versionStage=S#k',
      [{ kind: 'secret', secret: 'a', versionStage: 'S', key: 'k' }],
    ],
    ['X', 'ref+awssecrets://a#/k/l', [{ kind: 'secret', secret: 'a', key: 'k.l' }]],
    ['X', 'ref+vault://a#/k', []],
    ['X', `see ${arn}`, []],
    ['X', `arn:aws:secretsmanager:eu-central-1:111122223333:secret:\${NAME}`, [{ kind: 'open' }]],
    ['X', 'arn:aws:secretsmanager:REGION:ACCOUNT:secret:a', [{ kind: 'open' }]],
    ['DB_SECRET_NAME', 'not a name', []],
    ['VAULT_SECRET_ID', 'a', []],
    ['K8S_SECRET_NAME', 'a', []],
    ['DB_SECRET_ID', '6a174c20-f6de-a53c-74d2-6018fcceff64', []],
    ['DB_SECRET_NAME', 'your-secret', []],
    ['DB_SECRET', 'a', []],
  ] as const)('%s=%s', (name, text, expected) => expect(secretsOfVariable(name, text)).toEqual(expected));
});

test.each([
  ['/orders/parameter', { kind: 'none' }],
  ['/aws/reference/secretsmanager/a', { kind: 'secret', secret: 'a' }],
  [
    'arn:aws:ssm:eu-west-1:111122223333:parameter/aws/reference/secretsmanager/a',
    { kind: 'secret', secret: 'a', region: 'eu-west-1', account: '111122223333' },
  ],
  ['arn:aws:ssm:eu-west-1:111122223333:parameter/a', { kind: 'none' }],
])('valueFrom %s', (text, expected) => expect(valueFromOf(text)).toEqual(expected));

test('a build names a key, a stage and a version behind the secret', () => {
  expect(secretWithParts('a:k:S:v')).toEqual({
    kind: 'secret',
    secret: 'a',
    key: 'k',
    versionStage: 'S',
    versionId: 'v',
  });
});

test.each([
  ['a', 'a'],
  ['a-AbCdE1', 'a'],
  ['orders-worker', 'orders-worker'],
])('an ARN of the deploy that ends in %s is of the secret %s', (written, secret) => {
  const text = `Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          A: !Sub "arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${written}"
`;
  const file = parseManifest('template.yaml', text);
  const { references } = readManifest(file, findersOf(file), surroundingsOf([file]));
  expect(references.map((one) => [one.secret, one.region, one.account])).toEqual([
    [secret, undefined, undefined],
  ]);
});

describe('actions of Helm', () => {
  const secretOf = (key: string): readonly string[] => {
    const values = parseManifest('chart/values.yaml', 'db: {secret: from-values, empty: ""}\n');
    const file = parseManifest(
      'chart/templates/secret.yaml',
      `apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  secretStoreRef: {name: aws}\n  dataFrom:\n    - extract:\n        key: ${key}\n`,
    );
    const { references, problems } = readManifest(file, findersOf(file), surroundingsOf([values, file]));
    return [...references.map(({ secret }) => secret), ...problems.map(({ code }) => code)];
  };
  test.each([
    ['{{ .Values.db.secret }}', 'from-values'],
    ['{{- .Values.db.secret | quote -}}', 'from-values'],
    ['"{{ .Values.db.secret }}/x"', 'from-values/x'],
    ['{{ .Values.db.none | default "otherwise" }}', 'otherwise'],
    ['{{ .Values.db.empty | default "otherwise" | quote }}', 'otherwise'],
    ['{{ .Values.db.none }}', 'ReferenceUnresolved'],
    ['{{ printf "%s/x" .Values.db.secret }}', 'ReferenceUnresolved'],
  ])('%s', (key, expected) => expect(secretOf(key)).toEqual([expected]));
});

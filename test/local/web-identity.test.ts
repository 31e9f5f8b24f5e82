import { rm } from 'node:fs/promises';
import { CreateOpenIDConnectProviderCommand, CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { type Issuers, type Signing, startIssuers } from '../../local/servers/issuer.ts';
import { refusal } from './support/refusal.ts';

/**
 * What STS checks of a token, by
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
describe('AssumeRoleWithWebIdentity', () => {
  const issuer = 'https://issuer.example.com/oidc';
  const unlisted = 'https://unlisted.example.com';
  const host = 'issuer.example.com/oidc';
  const audience = 'sts.amazonaws.com';
  const good = { aud: audience, sub: 'pipeline:orders' };
  let directory: string;
  let cloud: LocalCloud;
  let issuers: Issuers;
  let iam: IAMClient;
  let role: string;

  const trust = (federated: string, condition: object) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Federated: federated },
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: condition,
        },
      ],
    });

  beforeAll(async () => {
    directory = await newFolder('web-identity');
    cloud = await startCloud({ directory });
    issuers = await startIssuers([issuer, unlisted]);
    for (const name of ['issuer.example.com', 'unlisted.example.com']) {
      await cloud.issuer({ host: name, port: issuers.port, authority: issuers.authority });
    }
    iam = new IAMClient(cloud.clientOptions());
    const { OpenIDConnectProviderArn: provider = '' } = await iam.send(
      new CreateOpenIDConnectProviderCommand({ Url: issuer, ClientIDList: [audience] }),
    );
    const AssumeRolePolicyDocument = trust(provider, {
      StringEquals: { [`${host}:aud`]: audience, [`${host}:sub`]: 'pipeline:orders' },
    });
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: 'pipeline', AssumeRolePolicyDocument }),
    );
    role = Role?.Arn ?? '';
  });

  afterAll(async () => {
    await issuers?.stop();
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Asks as a pipeline does: without credentials, the token alone. */
  async function assume(token: string, more: object = {}) {
    const client = new STSClient(cloud.clientOptions());
    const request = { RoleArn: role, RoleSessionName: 'run-1', WebIdentityToken: token, ...more };
    return await client.send(new AssumeRoleWithWebIdentityCommand(request));
  }

  test.each(['RS256', 'ES256'] as const)(
    'a token that is signed with %s gets a session, which is the role',
    async (signing) => {
      const answer = await assume(issuers.token(issuer, good, signing));
      expect(answer).toMatchObject({
        SubjectFromWebIdentityToken: 'pipeline:orders',
        Audience: audience,
        Provider: `arn:aws:iam::${cloud.accountId}:oidc-provider/${host}`,
      });
      const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {};
      const as = new STSClient(
        cloud.clientOptions({
          accessKeyId: AccessKeyId,
          secretAccessKey: SecretAccessKey,
          sessionToken: SessionToken,
        }),
      );
      expect((await as.send(new GetCallerIdentityCommand({}))).Arn).toBe(
        `arn:aws:sts::${cloud.accountId}:assumed-role/pipeline/run-1`,
      );
    },
  );

  const now = Math.floor(Date.now() / 1_000);
  test.each<[string, string, string, object, Signing?]>([
    ['a key of somebody else', 'InvalidIdentityToken', issuer, good, 'strange key'],
    ['a key that is not published', 'InvalidIdentityToken', issuer, good, 'unpublished key'],
    ['no signature', 'InvalidIdentityToken', issuer, good, 'none'],
    ['the public key as password', 'InvalidIdentityToken', issuer, good, 'public key as password'],
    ['claims that were altered', 'InvalidIdentityToken', issuer, good, 'altered claims'],
    ['an issuer without a provider', 'InvalidIdentityToken', unlisted, good],
    [
      'the name of an issuer, by keys of another one',
      'InvalidIdentityToken',
      unlisted,
      { ...good, iss: issuer },
    ],
    ['another audience', 'InvalidIdentityToken', issuer, { ...good, aud: 'https://github.com/acme' }],
    ['another subject', 'AccessDenied', issuer, { ...good, sub: 'pipeline:stock' }],
    ['a subject in other letters', 'AccessDenied', issuer, { ...good, sub: 'Pipeline:orders' }],
    ['no subject', 'InvalidIdentityToken', issuer, { aud: audience }],
    ['a time that is over', 'ExpiredTokenException', issuer, { ...good, exp: now - 1 }],
    ['no end', 'InvalidIdentityToken', issuer, { ...good, exp: undefined }],
    ['a time that has not come', 'InvalidIdentityToken', issuer, { ...good, nbf: now + 3_600 }],
  ])('%s is refused: %s', async (_what, code, by, claims, signing = 'RS256') => {
    expect(await refusal(assume(issuers.token(by, { ...claims }, signing)))).toContain(code);
  });

  test.each(['', 'x', 'a.b.c', `${'x'.repeat(20)}.${'y'.repeat(20)}.z`])('%j is no token', async (token) => {
    expect(await refusal(assume(token.padEnd(4, '.')))).toContain('InvalidIdentityToken');
  });

  test.each([
    ['a session without a good name', { RoleSessionName: 'run 1' }, 'ValidationError'],
    ['a session that is longer than the role allows', { DurationSeconds: 7_200 }, 'ValidationError'],
    ['a role that is not there', { RoleArn: 'arn:aws:iam::000000000000:role/nobody' }, 'AccessDenied'],
  ])('%s is refused', async (_what, more, code) => {
    expect(await refusal(assume(issuers.token(issuer, good), more))).toContain(code);
  });

  test('an issuer that does not answer, or is not who it says, is an error of communication', async () => {
    await cloud.issuer({ host: 'issuer.example.com', port: 9, authority: issuers.authority });
    expect(await refusal(assume(issuers.token(issuer, good)))).toContain('IDPCommunicationError');
    const other = await startIssuers([issuer]);
    await cloud.issuer({ host: 'issuer.example.com', port: other.port, authority: issuers.authority });
    expect(await refusal(assume(issuers.token(issuer, good)))).toContain('IDPCommunicationError');
    await other.stop();
    await cloud.issuer({ host: 'issuer.example.com', port: issuers.port, authority: issuers.authority });
    await assume(issuers.token(issuer, good));
  });

  test('a provider has TLS', async () => {
    const request = { Url: 'http://issuer.example.com', ClientIDList: [audience] };
    expect(await refusal(iam.send(new CreateOpenIDConnectProviderCommand(request)))).toContain(
      'ValidationError',
    );
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
  test.each([
    [
      'without a test of the subject',
      { StringEquals: { 'token.actions.githubusercontent.com:aud': audience } },
    ],
    ['with any subject', { StringLike: { 'token.actions.githubusercontent.com:sub': '*' } }],
  ])('a role that trusts a provider of all customers %s cannot be made', async (_what, condition) => {
    const provider = `arn:aws:iam::${cloud.accountId}:oidc-provider/token.actions.githubusercontent.com`;
    const request = { RoleName: 'anybody', AssumeRolePolicyDocument: trust(provider, condition) };
    expect(await refusal(iam.send(new CreateRoleCommand(request)))).toContain('MalformedPolicyDocument');
  });
});

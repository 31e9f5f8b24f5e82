import { describe, expect, test } from '@jest/globals';
import { Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { defineConfig } from '../../lib/config/config.ts';
import type { ConfigurationInput } from '../../lib/config/schema.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';

type Environment = ConfigurationInput['environments'][string];

const base: Environment = { audit: { retentionDays: 30 }, access: { responders: ['111122223333'] } };

function synthesized(more: Partial<Environment>) {
  const { prod } = defineConfig({ environments: { prod: { ...base, ...more } } }).environments;
  if (prod === undefined) throw new Error('no environment');
  const app = testApp({ flags: {} });
  Validations.of(app).addPlugins(new AwsSolutionsChecks());
  const environment = new RekeyEnvironment(app, 'prod', {
    configuration: prod,
    directory: import.meta.dirname,
  });
  return {
    app,
    revocation: Template.fromStack(environment.revocation),
    access: Template.fromStack(environment.access),
  };
}

const approvals = (more: Partial<NonNullable<Environment['approvals']>> = {}): Environment['approvals'] => ({
  revocation: { replace: 'second person' },
  ...more,
});

describe('approvals', () => {
  test('leave the templates as they are where nothing needs one', () => {
    const without = synthesized({});
    const idle = synthesized({ approvals: { minutes: 30, breakGlass: false, approvers: { alice: {} } } });
    expect(idle.revocation.toJSON()).toEqual(without.revocation.toJSON());
    expect(idle.access.toJSON()).toEqual(without.access.toJSON());
    // That of the outcomes of plans.
    without.revocation.resourceCountIs('AWS::DynamoDB::Table', 1);
    expect(JSON.stringify(without.revocation.toJSON())).not.toContain('waitForTaskToken');
  });

  test('have the workflow wait first, a minute at a time, and go on where it may', () => {
    const { revocation } = synthesized({ approvals: approvals() });
    const [machine] = Object.values(revocation.findResources('AWS::StepFunctions::StateMachine'));
    const parts = machine?.Properties.DefinitionString['Fn::Join'][1] as unknown[];
    const states = JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'arn')).join(''));
    expect(states.StartAt).toBe('Needs approval?');
    expect(states.TimeoutSeconds).toBe(4 * 3600 + 3600);
    const wait = states.States['Wait for approval'];
    expect(wait).toMatchObject({ TimeoutSeconds: 60, ResultPath: '$.approved' });
    expect(wait.Parameters.Payload).toMatchObject({
      'taskToken.$': '$$.Task.Token',
      'author.$': '$.approval.author',
    });
    expect(wait.Catch).toEqual([
      { ErrorEquals: ['States.Timeout'], Next: 'Wait for approval', ResultPath: '$.approvalRound' },
      { ErrorEquals: ['States.ALL'], Next: 'Report', ResultPath: '$.approvalFailure' },
    ]);
    // Its time running out is no error to be tried again.
    for (const { ErrorEquals } of wait.Retry) expect(ErrorEquals).not.toContain('States.Timeout');
    expect(states.States['Needs approval?'].Default).toBe('Which first?');
  });

  test('are answered by no function that only shows them, and decided on by none that only asks', () => {
    const { revocation } = synthesized({ approvals: approvals() });
    const policies = Object.entries(revocation.findResources('AWS::IAM::Policy'));
    const statements = (id: RegExp) =>
      policies
        .filter(([name]) => id.test(name))
        .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Record<string, unknown>[]);
    const desk = statements(/ApprovalsDesk/);
    expect(JSON.stringify(desk)).not.toContain('states:');
    expect(JSON.stringify(desk)).not.toContain('events:');
    const writes = desk.filter(({ Action }) => JSON.stringify(Action).includes('UpdateItem'));
    expect(writes).toEqual([
      expect.objectContaining({
        Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['author *'] } },
      }),
    ]);
    const intake = statements(/WorkflowIntake/).filter(({ Action }) =>
      JSON.stringify(Action).includes('dynamodb'),
    );
    expect(intake).toEqual([expect.objectContaining({ Sid: 'ReadAuthors', Action: 'dynamodb:GetItem' })]);
    const resumes = statements(/ApprovalsResume/);
    const resume = expect.objectContaining({ Action: 'states:SendTaskSuccess' });
    expect(resumes).toEqual([resume, resume]);
    for (const { Resource } of resumes) expect(JSON.stringify(Resource)).toMatch(/Workflow/);
  });

  test('have a page, a key and mails of one address where somebody has one, and the page may sign nothing', () => {
    const people = { alice: {}, bob: { email: 'bob@example.com' } };
    const mailFrom = 'rekey@mail.example.com';
    const { revocation, app } = synthesized({ approvals: approvals({ approvers: people, mailFrom }) });
    revocation.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' });
    revocation.hasResourceProperties('AWS::KMS::Key', {
      KeySpec: 'HMAC_256',
      KeyUsage: 'GENERATE_VERIFY_MAC',
    });
    const allowed = (action: string) =>
      Object.entries(revocation.findResources('AWS::IAM::Policy')).flatMap(([id, { Properties }]) =>
        (Properties.PolicyDocument.Statement as Record<string, unknown>[])
          .filter(({ Action }) => JSON.stringify(Action).includes(action))
          .map((statement) => ({ id, ...statement }) as Record<string, unknown>),
      );
    expect(allowed('kms:VerifyMac').map(({ id }) => id)).toEqual([expect.stringMatching(/^ApprovalsPage/)]);
    expect(allowed('kms:GenerateMac').map(({ id }) => id)).toEqual([
      expect.stringMatching(/^ApprovalsWaits/),
    ]);
    const [send, ...others] = allowed('ses:');
    expect(others).toEqual([]);
    expect(send).toMatchObject({
      id: expect.stringMatching(/^ApprovalsWaits/),
      Action: 'ses:SendEmail',
      Condition: { StringEquals: { 'ses:FromAddress': mailFrom } },
    });
    const identities = JSON.stringify(send?.Resource).match(/identity\/[^"]+/g);
    expect(identities).toEqual([
      'identity/rekey@mail.example.com',
      'identity/mail.example.com',
      'identity/example.com',
    ]);
    expect(() => app.synth()).not.toThrow();
    for (const without of [
      synthesized({ approvals: approvals({ approvers: { alice: {} }, mailFrom }) }).revocation,
      synthesized({ approvals: approvals({ approvers: { alice: {} } }) }).revocation,
    ]) {
      without.resourceCountIs('AWS::Lambda::Url', 0);
      without.resourceCountIs('AWS::KMS::Key', 0);
      expect(JSON.stringify(without.toJSON())).not.toContain('ses:');
    }
  });

  test('are found sound by cdk-nag', () => {
    const { app } = synthesized({ approvals: approvals() });
    expect(() => app.synth()).not.toThrow();
  });

  test('warn where one person can be two, and hold people to their names where the configuration does', () => {
    const warnings = (access: Partial<Environment['access']>) => {
      const { app } = synthesized({ approvals: approvals(), access: { ...base.access, ...access } });
      return app
        .synth()
        .stacks.flatMap(({ messages }) => messages)
        .map(({ entry }) => String(entry.data))
        .filter((message) => message.includes('one person can be two'));
    };
    expect(warnings({})).toHaveLength(1);
    expect(warnings({ sessionName: 'aws:username' })).toEqual([]);
  });

  test('are looked at by doctor, which may read the state of each of their functions', () => {
    const { access } = synthesized({
      approvals: approvals(),
      access: { ...base.access, operators: ['111122223333'] },
    });
    const parts = Object.values(access.findResources('AWS::SSM::Parameter')).find(
      ({ Properties }) => Properties.Name === '/rekey/prod/deployment/parts',
    );
    const text = JSON.stringify(parts?.Properties.Value);
    const policies = JSON.stringify(
      Object.values(access.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) =>
        Properties.PolicyDocument.Statement.filter(({ Sid }: { Sid?: string }) => Sid === 'FunctionStates'),
      ),
    );
    for (const part of ['ApprovalsDesk', 'ApprovalsAnswers', 'ApprovalsWaits']) {
      expect(text).toContain(part);
      expect(policies).toContain(part);
    }
  });

  test('let a responder ask and see, and note the role in its own stack', () => {
    const { access } = synthesized({ approvals: approvals() });
    const parameters = Object.values(access.findResources('AWS::SSM::Parameter'));
    const noted = parameters.filter(({ Properties }) =>
      String(Properties.Name).startsWith('/rekey/prod/approval/'),
    );
    expect(noted.map(({ Properties }) => Properties.Name)).toEqual([
      expect.stringMatching(/^\/rekey\/prod\/approval\/ask\/[0-9a-f]{16}$/),
    ]);
    expect(JSON.stringify(noted[0]?.Properties.Value)).toContain('ResponderRole');
  });

  test.each([
    [{ escalateAfterMinutes: 60 }, /must be less than `minutes`/],
    [{ minutes: 4 }, /approvals\.minutes/],
    [{ approvers: { alice: {}, Alice: {} } }, /Alice and alice may be one person/],
    [{ approvers: { ada: {}, 'ada@example.com': {} } }, /may be one person/],
    [
      { approvers: { ada: {}, bob: { email: 'ada@example.com' } }, mailFrom: 'a@b.example' },
      /bob and ada may be one/,
    ],
    [
      {
        approvers: { ada: { email: 'team@example.com' }, bob: { email: 'team+b@example.com' } },
        mailFrom: 'a@b.example',
      },
      /may be/,
    ],
    [{ approvers: { ada: { email: 'ada@example.com' } } }, /mailFrom: .*is missing/],
    [
      {
        approvers: Object.fromEntries(
          Array.from({ length: 40 }, (_, index) => [
            `person${index}`,
            { email: `person${index}@${'a'.repeat(50)}.example` },
          ]),
        ),
        mailFrom: 'a@b.example',
      },
      /the addresses take \d+ characters; the most is 2500/,
    ],
    [{ approvers: { 'alice smith': {} } }, /must be the name of a session/],
  ])('%j is refused at synth', (more, message) => {
    expect(() => synthesized({ approvals: approvals(more) })).toThrow(message);
  });
});

import { EventBridgeClient, ListRulesCommand, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, test } from '@jest/globals';
import { overlapRulePrefix } from '../../core/deployed/names.ts';
import { environmentName } from '../../local/tour/deployment.ts';
import { eventually } from '../../local/tour/eventually.ts';
import type { SecretType } from '../../rotators/registry.ts';
import type { Participant } from './participant.ts';
import type { World } from './world.ts';

/** One stack with secrets of several types: each rotates when it is made, on demand, and in an emergency. */
export function types(world: () => World, present: readonly SecretType[]): void {
  describe.each(present)('a secret of type %s', (type) => {
    const participant = (): Participant => {
      const found = world().participants.find((one) => one.type === type);
      if (found === undefined) throw new Error(`nothing of type ${type} takes part`);
      return found;
    };
    /** Whether the target accepts it; what no target can say counts as it should be. */
    const accepts = async (version: Record<string, unknown>, otherwise: boolean) =>
      (await participant().accepts?.(version)) ?? otherwise;
    const read = () => world().readSecret(participant().secret);
    const rotate = async () => {
      const { exitCode, stdout, stderr } = await world().rekey(
        'operator',
        ...['secret', 'rotate', participant().secret, '--wait', '--yes'],
      );
      expect([exitCode, exitCode === 0 ? '' : stdout + stderr]).toEqual([0, '']);
      return await read();
    };

    test('works after the deploy, and after a rotation on demand', async () => {
      const first = await eventually('the first rotation', async () => {
        const current = await read();
        return (await accepts(current, true)) ? current : undefined;
      });
      const second = await rotate();
      expect(second.versionId).not.toBe(first.versionId);
      expect(participant().secretOf(second)).not.toBe(participant().secretOf(first));
      expect(await accepts(second, true)).toBe(true);
      await world().recorded('Secret Rotation Succeeded', second.versionId);
    });

    test('has the credential before the current one end with its overlap, where the target accepts two', async () => {
      const { cloud, credentials } = world();
      const before = await read();
      const after = await rotate();
      const rule = await overlapRule(world(), participant().secret);
      if (rule === undefined) return;
      expect([await accepts(before, true), await accepts(after, true)]).toEqual([true, true]);
      const lambda = new LambdaClient(cloud.clientOptions(credentials.administrator));
      const { FunctionError, Payload } = await lambda.send(
        new InvokeCommand({ FunctionName: rule.functionArn, Payload: rule.input }),
      );
      expect([FunctionError, FunctionError && Payload?.transformToString()]).toEqual([undefined, undefined]);
      expect([await accepts(before, false), await accepts(after, true)]).toEqual([false, true]);
      await world().recorded('Credential Retired', before.versionId);
    });

    test('is revoked: what leaked is dead, and there is a new one', async () => {
      const { secret, revocation, secretOf } = participant();
      const leaked = await read();
      const detail = world().request({ select: { secret } });
      await world().put('responder', {
        source: 'rekey.cli',
        detailType: 'Secret Revocation Requested',
        detail,
      });
      const { text } = await world().recorded(revocation, detail.metadata.id);
      const current = await read();
      expect(text).toContain(current.versionId);
      expect(secretOf(current)).not.toBe(secretOf(leaked));
      expect([await accepts(leaked, false), await accepts(current, true)]).toEqual([false, true]);
    });
  });
}

/** What the schedule that ends the overlap of a secret would send, and to which function. */
async function overlapRule(
  { cloud, credentials }: World,
  secret: string,
): Promise<{ functionArn: string; input: string } | undefined> {
  const events = new EventBridgeClient(cloud.clientOptions(credentials.administrator));
  const { Rules = [] } = await events.send(
    new ListRulesCommand({ NamePrefix: overlapRulePrefix(environmentName) }),
  );
  for (const { Name } of Rules) {
    const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule: Name }));
    for (const { Arn = '', Input = '{}' } of Targets) {
      if (JSON.parse(Input).RetirePrevious?.includes(secret)) return { functionArn: Arn, input: Input };
    }
  }
  return undefined;
}

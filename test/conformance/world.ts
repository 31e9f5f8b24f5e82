import type { Strategy } from '../../core/secret/secret.ts';
import { Scene, type Target } from './scene.ts';
import type { TargetUnderTest } from './target.ts';

type AccountOptions = Parameters<TargetUnderTest<object>['createAccount']>[0];

/** A scene of one type's own tests, which know what its secrets look like. */
export async function worldOf<S extends { username: string }>(
  target: TargetUnderTest<S>,
  strategy: Strategy,
  options?: AccountOptions,
) {
  const account = await target.createAccount(options);
  const scene = new Scene(target as unknown as Target, strategy, account as never);
  return {
    scene,
    account,
    name: account.secret.username,
    clone: `${account.secret.username}_clone`,
    current: () => scene.current as unknown as S,
    rotate: async () => (await scene.rotate()) as unknown as S,
    codes: () => scene.findings.map(({ code }) => code),
  };
}

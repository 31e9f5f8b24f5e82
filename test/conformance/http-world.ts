import type { HttpUnderTest } from './drivers/http.ts';
import { Scene, type Target } from './scene.ts';

/** A new secret of the token service, and what one looks at there. */
export async function secretAt(
  target: HttpUnderTest,
  strategy: 'single-user' | 'dual-credential' = 'single-user',
) {
  const account = await target.createAccount();
  const scene = new Scene(target as unknown as Target, strategy, account as never);
  const { service } = target;
  const project = String(account.secret.project);
  return {
    scene,
    account,
    service,
    rotator: target.rotator,
    codes: () => scene.findings.map(({ code }) => code),
    /** Names of what the service holds for this secret. */
    names: () =>
      [...service.tokens.values()].filter((token) => token.project === project).map(({ name }) => name),
    issue: (name: string) => service.issue(project, name),
  };
}

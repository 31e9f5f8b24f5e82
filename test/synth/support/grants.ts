import type { Statement } from './app.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
}
export type Resources = Readonly<Record<string, Resource>>;

/** One action that a role is allowed on one resource. */
export interface Grant {
  readonly role: string;
  readonly action: string;
  /** As text, a reference as its JSON. */
  readonly resource: string;
  readonly condition: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What the roles of a template are allowed, one by one. */
export function grantsOf(resources: Resources): Grant[] {
  return Object.values(resources)
    .filter(({ Type }) => Type === 'AWS::IAM::Policy' || Type === 'AWS::IAM::ManagedPolicy')
    .flatMap(({ Properties }) => {
      const { Roles = [], PolicyDocument } = Properties as {
        Roles?: readonly { readonly Ref: string }[];
        PolicyDocument: { readonly Statement: readonly Statement[] };
      };
      return PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow').flatMap((statement) =>
        [statement.Resource].flat().flatMap((resource) =>
          [statement.Action].flat().flatMap((action) =>
            Roles.map(({ Ref: role }) => ({
              role,
              action,
              resource: typeof resource === 'string' ? resource : JSON.stringify(resource),
              condition: (statement.Condition ?? {}) as Grant['condition'],
            })),
          ),
        ),
      );
    });
}

/** Full name of the secret that a policy or schedule names: one of the template, or an ARN with or without its suffix. */
export function secretNamed(resource: string, resources: Resources): string {
  const { Ref } = resource.startsWith('{') ? (JSON.parse(resource) as { Ref?: string }) : {};
  const own = Ref === undefined ? undefined : resources[Ref]?.Properties.Name;
  return typeof own === 'string' ? own : resource.replace(/^.*:secret:/, '').replace(/-\?{6}$/, '');
}

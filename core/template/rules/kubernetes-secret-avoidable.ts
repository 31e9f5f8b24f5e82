import type { TemplateRule } from '../rule.ts';
import { Joined, leavesOf, literalText, mapOf, type Value } from '../value.ts';

/** Types of the CDK's custom resource that applies manifests, and of Terraform's secrets. */
const manifests = ['Custom::AWSCDK-EKS-KubernetesResource', 'Rekey::Kubernetes::Manifest'];

/** Warns of access keys in a Kubernetes secret, for which EKS has Pod Identity. */
export const kubernetesSecretAvoidable: TemplateRule<'KubernetesSecretAvoidable'> = {
  description: {
    id: 'KubernetesSecretAvoidable',
    severity: 'warning',
    demand: 'A workload on EKS takes a role by EKS Pod Identity in place of access keys.',
    reason:
      'A Kubernetes secret is read by whoever may read secrets of its namespace, and its keys never end.',
    controls: ['NIST 800-53 r5 IA-5', 'OWASP NHI 2025 NHI4', 'OWASP NHI 2025 NHI7'],
  },
  *check(world) {
    for (const manifest of world.ofType(...manifests)) {
      if (!holdsAccessKey(manifest.properties)) continue;
      yield {
        on: manifest,
        message: 'a Kubernetes secret holds access keys of AWS',
        fix: 'associate the service account with a role (AWS::EKS::PodIdentityAssociation, aws_eks_pod_identity_association): this secret need not exist',
      };
    }
  },
};

const accessKey = /aws[-_]?secret[-_]?access[-_]?key/i;

function holdsAccessKey(properties: Readonly<Record<string, Value>>): boolean {
  if (properties.Kind !== undefined) return namesKey(properties.Data);
  const text = leavesOf(properties.Manifest)
    .map(({ value }) =>
      value instanceof Joined
        ? value.parts.map((part) => literalText(part) ?? '').join('')
        : literalText(value),
    )
    .join('');
  return /"kind"\s*:\s*"Secret"/.test(text) && accessKey.test(text);
}

const namesKey = (data: Value | undefined): boolean =>
  Object.keys(mapOf(data)).some((name) => accessKey.test(name));

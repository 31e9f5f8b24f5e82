type Setting = { readonly setting: readonly [undefined, unknown, unknown, undefined] };
const optional = (one: unknown, other: unknown): Setting => ({ setting: [undefined, one, other, undefined] });

/** Environments elsewhere, which come, change and go. */
export const elsewhereSamples = {
  'revocation.members.*': optional({}, {}),
  'revocation.members.*.environment': optional('staging', 'prod'),
  'revocation.members.*.account': optional('999988887777', '444455556666'),
  'revocation.members.*.region': optional('eu-west-1', 'us-east-1'),
  'revocation.members.*.role': optional('asked-by-others', 'asked'),
  'revocation.coordinator.environment': optional('security', 'prod'),
  'revocation.coordinator.account': optional('999988887777', '444455556666'),
  'revocation.coordinator.region': optional('eu-west-1', 'us-east-1'),
} satisfies Readonly<Record<string, Setting>>;

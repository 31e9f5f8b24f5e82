import type { EnvironmentConfiguration, PasswordConfiguration, SecretConfiguration } from './schema.ts';

const variables = {
  length: 'PASSWORD_LENGTH',
  excludeCharacters: 'EXCLUDE_CHARACTERS',
  excludeNumbers: 'EXCLUDE_NUMBERS',
  excludePunctuation: 'EXCLUDE_PUNCTUATION',
  excludeUppercase: 'EXCLUDE_UPPERCASE',
  excludeLowercase: 'EXCLUDE_LOWERCASE',
  requireEachIncludedType: 'REQUIRE_EACH_INCLUDED_TYPE',
} as const satisfies Record<keyof PasswordConfiguration, string>;

/** Merges the rules for the passwords of a secret: its own, and for the rest those of the environment. */
export const passwordsOf = (
  { passwords }: Pick<EnvironmentConfiguration, 'passwords'>,
  secret: Pick<SecretConfiguration, 'passwords'>,
): PasswordConfiguration => ({ ...passwords, ...secret.passwords });

/** Writes the password rules as the environment variables that AWS's own rotation functions read, too. */
export function passwordEnvironment(passwords: PasswordConfiguration): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([rule, variable]) => {
      const value = passwords[rule as keyof PasswordConfiguration];
      return value === undefined ? [] : [[variable, String(value)]];
    }),
  );
}

import { expect, test } from '@jest/globals';
import { findingData } from '../../core/findings/codes.ts';

/**
 * A finding may name what a database lists (`SettingNotCopied`, `GrantNotCopied`, `DefaultRoleNotCopied`, `GrantsDiffer`): as long
 * as its users like. Errors are cut at 2,000 characters (`summarizeError`), findings are not.
 */
test('the message of a finding is as short as that of an error', () => {
  const data = findingData('arn', { code: 'GrantNotCopied', message: 'x'.repeat(300_000) });
  expect(data.message.length).toBeLessThan(2_100);
});

import { shellWord } from '../shell-word.ts';

/** Writes a command of the AWS CLI about one secret. */
export const awsCommand = (words: string, secret: string, region: string, rest = ''): string =>
  `aws secretsmanager ${words} --secret-id ${shellWord(secret)} --region ${shellWord(region)}${rest === '' ? '' : ` ${rest}`}`;

/** Lists the first of many, and counts the others. */
export const firstOf = (all: readonly string[], most = 5): string =>
  all.length > most ? `${all.slice(0, most).join(', ')} and ${all.length - most} more` : all.join(', ');

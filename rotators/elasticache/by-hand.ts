import { shellWord } from '../../core/shell-word.ts';
import { adminNotes, type ByHand, known, newPassword, store } from '../families/by-hand.ts';
import { killSessions, redisCli } from '../redis/by-hand.ts';

/** Finds the id that the API knows the user by, from its id or its ARN. */
const idOf = ({ userId, user_arn }: Readonly<Record<string, unknown>>): string =>
  known(
    {
      userId:
        userId ||
        String(user_arn ?? '')
          .split(':')
          .at(-1),
    },
    'userId',
    'user id',
  );

/**
 * Writes what {@link contain} does for a person. A new password takes the place of all others, and sessions end.
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyUser.html
 */
export const byHand: ByHand = (target) => {
  const { fields, admin } = target;
  const id = idOf(fields);
  const username = known(fields, 'username', 'user');
  const at = {
    host: known(fields, 'host', 'endpoint of the cache'),
    port: known({ port: 6379, ...fields }, 'port'),
  };
  const login = admin === undefined ? username : known(admin.fields, 'username', 'admin user');
  return {
    steps: [
      {
        aim: 'find',
        in: 'shell',
        lines: [`aws elasticache describe-users --query='Users[].[UserId,UserName,Status]' --output=text`],
        note: 'The id is not the name with which the user logs in.',
      },
      {
        aim: 'refuse logins',
        in: 'shell',
        lines: [
          newPassword,
          `jq -n --arg id ${shellWord(id)} '{UserId: $id, AuthenticationMode: {Type: "password", Passwords: [env.NEW]}}' | aws elasticache modify-user --cli-input-json=file:///dev/stdin`,
          `aws elasticache describe-users --user-id=${shellWord(id)} --query='Users[0].Status' --output=text`,
        ],
        note: 'The new password takes the place of all that the user has. It is in force when the status is active again.',
      },
      store(target),
      {
        aim: 'log in',
        in: 'shell',
        lines: [redisCli(at, login, fields)],
        note: 'Once for each node of the cache.',
      },
      { aim: 'end sessions', in: 'redis-cli', lines: [killSessions(username)] },
      {
        aim: 'see it refused',
        in: 'shell',
        lines: [redisCli(at, username, fields)],
        note: 'With the password that leaked: the answer is WRONGPASS.',
      },
    ],
    notes: admin === undefined ? [] : adminNotes(target),
  };
};

import { splitNames } from '../postgresql/follower.ts';
import { literal, quote } from './sql.ts';
import type { User } from './user.ts';

/** Lists the statements that give `follower` the attributes and settings of `anchor`. None where they are the same. */
export function attributeChanges(follower: User, anchor: User): string[] {
  const options: string[] = [];
  if (follower.createDatabases !== anchor.createDatabases) {
    options.push(anchor.createDatabases ? 'CREATEDB' : 'NOCREATEDB');
  }
  if (
    follower.connectionLimit !== anchor.connectionLimit &&
    /^(?:\d+|UNLIMITED)$/.test(anchor.connectionLimit)
  ) {
    options.push(`CONNECTION LIMIT ${anchor.connectionLimit}`);
  }
  if (follower.syslogAccess !== anchor.syslogAccess) {
    options.push(`SYSLOG ACCESS ${anchor.syslogAccess === 'UNRESTRICTED' ? 'UNRESTRICTED' : 'RESTRICTED'}`);
  }
  if (follower.validUntil !== anchor.validUntil) options.push(`VALID UNTIL ${literal(anchor.validUntil)}`);
  if (follower.sessionTimeout !== anchor.sessionTimeout) {
    options.push(
      anchor.sessionTimeout === 0
        ? 'RESET SESSION TIMEOUT'
        : `SESSION TIMEOUT ${Math.trunc(anchor.sessionTimeout)}`,
    );
  }
  return [...options, ...settingChanges(follower, anchor)].map(
    (change) => `ALTER USER ${quote(follower.name)} ${change}`,
  );
}

const parse = (settings: readonly string[]) =>
  new Map(
    settings.map((setting): [string, string] => {
      const [name = '', ...value] = setting.split('=');
      return [name, value.join('=')];
    }),
  );

function settingChanges(follower: User, anchor: User): string[] {
  const [present, wanted] = [parse(follower.settings), parse(anchor.settings)];
  return [
    ...[...wanted]
      .filter(([name, value]) => present.get(name) !== value)
      .map(([name, value]) => {
        // The one list among the settings; the catalogue keeps it quoted, the statement takes the parts.
        const values = name === 'search_path' ? splitNames(value) : [value];
        return `SET ${quote(name)} TO ${values.length === 0 ? "''" : values.map(literal).join(', ')}`;
      }),
    ...[...present.keys()].filter((name) => !wanted.has(name)).map((name) => `RESET ${quote(name)}`),
  ];
}

/** The privileges of an account, as `SHOW GRANTS` tells them. Objects and roles are keyed by the server's own quoted text. */
export interface Grants {
  /** Objects, for example `` `shop`.* ``, to privileges. `GRANT OPTION` is one of them, columns stand one by one. */
  readonly privileges: ReadonlyMap<string, ReadonlySet<string>>;
  /** Roles, each with whether the account may hand it on. */
  readonly roles: ReadonlyMap<string, boolean>;
  /** Objects, each with what is taken from a global privilege there (MySQL's partial revokes). */
  readonly restrictions: ReadonlyMap<string, ReadonlySet<string>>;
}

interface Token {
  readonly text: string;
  readonly at: number;
}

/** Form of the tokens: quoted names and texts, parentheses, commas, words. */
const tokens = /`(?:[^`]|``)*`|'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|[(),]|[^\s(),`'"]+/gs;

function tokenize(line: string): Token[] {
  return [...line.matchAll(tokens)].map((match) => ({ text: match[0], at: match.index }));
}

/** Splits a text at the commas that stand outside of parentheses. */
function splitList(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (const { text: token, at } of tokenize(text)) {
    if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (token === ',' && depth === 0) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  parts.push(text.slice(from).trim());
  return parts;
}

/** Splits a privilege by column: ``SELECT (`a`, `b`)`` becomes ``SELECT (`a`)`` and ``SELECT (`b`)``. */
function splitColumns(privilege: string): string[] {
  const open = privilege.indexOf('(');
  if (open < 0) return [privilege];
  const name = privilege.slice(0, open).trim();
  return splitList(privilege.slice(open + 1, privilege.lastIndexOf(')'))).map(
    (column) => `${name} (${column})`,
  );
}

/** Reads the lines of `SHOW GRANTS` of one account. `USAGE`, which is nothing, is left out. */
export function parseGrants(lines: readonly string[]): Grants {
  const privileges = new Map<string, Set<string>>();
  const restrictions = new Map<string, Set<string>>();
  const roles = new Map<string, boolean>();
  for (const line of lines) {
    const found = tokenize(line);
    const verb = found[0]?.text;
    const word = verb === 'GRANT' ? 'TO' : verb === 'REVOKE' ? 'FROM' : undefined;
    const receiver = found.find(({ text }) => text === word);
    if (verb === undefined || receiver === undefined) continue;
    const on = found.find(({ text, at }) => text === 'ON' && at < receiver.at);
    const list = line.slice(verb.length, on?.at ?? receiver.at);
    const tail = found
      .filter(({ at }) => at > receiver.at)
      .map(({ text }) => text)
      .join(' ');
    if (on === undefined) {
      for (const role of splitList(list)) roles.set(role, /\bADMIN OPTION$/.test(tail));
      continue;
    }
    const object = line.slice(on.at + 2, receiver.at).trim();
    const into = verb === 'GRANT' ? privileges : restrictions;
    const set = into.get(object) ?? new Set<string>();
    for (const privilege of splitList(list).flatMap(splitColumns))
      if (privilege !== 'USAGE') set.add(privilege);
    if (/\bWITH\b.*\bGRANT OPTION\b/.test(tail)) set.add('GRANT OPTION');
    if (set.size > 0) into.set(object, set);
  }
  return { privileges, roles, restrictions };
}

/** A statement that brings one account nearer to another, and the statement that lets the admin do so. */
export interface Change {
  readonly sql: string;
  readonly doing: string;
  readonly missing: string;
}

const missingFrom = (
  wanted: ReadonlySet<string> = new Set(),
  present: ReadonlySet<string> = new Set(),
): string[] => [...wanted].filter((privilege) => !present.has(privilege));

/**
 * Lists the statements that bring an account from the grants `present` to those of `wanted`. It loses first what it must lose,
 * then it gets what it must get. What both have is not touched, since sessions may be using it.
 *
 * @param account the quoted account that is changed
 * @param admin the quoted account that changes it
 */
export function changes(wanted: Grants, present: Grants, account: string, admin: string): Change[] {
  const lose: Change[] = [];
  const get: Change[] = [];
  const grantor = (privileges: readonly string[], object: string) =>
    `GRANT ${privileges.filter((privilege) => privilege !== 'GRANT OPTION').join(', ') || 'USAGE'} ON ${object} TO ${admin} WITH GRANT OPTION`;
  for (const object of new Set([...present.privileges.keys(), ...wanted.privileges.keys()])) {
    const target = wanted.privileges.get(object);
    const surplus = missingFrom(present.privileges.get(object), target);
    for (const privilege of surplus) {
      lose.push({
        sql: `REVOKE ${privilege} ON ${object} FROM ${account}`,
        doing: `revoke ${privilege} on ${object} from ${account}`,
        missing: grantor([privilege], object),
      });
    }
    const lostAll = surplus.some((privilege) => privilege === 'ALL PRIVILEGES');
    const lacking = lostAll ? [...(target ?? [])] : missingFrom(target, present.privileges.get(object));
    if (lacking.length > 0) {
      const plain = lacking.filter((privilege) => privilege !== 'GRANT OPTION');
      const option = plain.length < lacking.length ? ' WITH GRANT OPTION' : '';
      get.push({
        sql: `GRANT ${plain.join(', ') || 'USAGE'} ON ${object} TO ${account}${option}`,
        doing: `grant ${lacking.join(', ')} on ${object} to ${account}`,
        missing: grantor(lacking, object),
      });
    }
  }
  for (const role of present.roles.keys()) {
    if (!wanted.roles.has(role)) lose.push(roleChange(`REVOKE ${role} FROM ${account}`, role, admin));
  }
  for (const [role, handsOn] of wanted.roles) {
    if (present.roles.get(role) === handsOn) continue;
    if (present.roles.get(role)) lose.push(roleChange(`REVOKE ${role} FROM ${account}`, role, admin));
    get.push(roleChange(`GRANT ${role} TO ${account}${handsOn ? ' WITH ADMIN OPTION' : ''}`, role, admin));
  }
  for (const [object, taken] of wanted.restrictions) {
    for (const privilege of missingFrom(taken, present.restrictions.get(object))) {
      get.push({
        sql: `REVOKE ${privilege} ON ${object} FROM ${account}`,
        doing: `restrict ${privilege} on ${object} for ${account}`,
        missing: grantor([privilege], object),
      });
    }
  }
  for (const [object, taken] of present.restrictions) {
    for (const privilege of missingFrom(taken, wanted.restrictions.get(object))) {
      get.push({
        sql: `GRANT ${privilege} ON ${object} TO ${account}`,
        doing: `lift the restriction of ${privilege} on ${object} for ${account}`,
        missing: grantor([privilege], object),
      });
    }
  }
  return [...lose, ...get];
}

const roleChange = (sql: string, role: string, admin: string): Change => ({
  sql,
  doing: `hand over or take back the role ${role}`,
  missing: `GRANT ${role} TO ${admin} WITH ADMIN OPTION`,
});

/** Tells whether the grants let an account become any other one or change what others may do. */
export function isPrivileged({ privileges, roles }: Grants): boolean {
  const global = privileges.get('*.*') ?? new Set<string>();
  const dangerous = [
    'ALL PRIVILEGES',
    'SUPER',
    'CREATE USER',
    'GRANT OPTION',
    'SYSTEM_USER',
    'ROLE_ADMIN',
    'SET_USER_ID',
    'SET USER',
    'FILE',
  ];
  return (
    dangerous.some((privilege) => global.has(privilege)) ||
    [...privileges.keys()].some((object) => /^[`"]?mysql[`"]?\./i.test(object)) ||
    [...roles.values()].includes(true)
  );
}

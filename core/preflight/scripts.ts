/** A call of the AWS CLI that reads a secret. */
export interface ScriptRead {
  /** Name or ARN as far as variables are known; what is open stays as it was written. */
  readonly secret: string;
  readonly region?: string;
  readonly versionStage?: string;
  readonly versionId?: string;
  readonly key?: string;
  /** Line within the script, counted from zero. */
  readonly line: number;
}

/** Variables whose values are known. */
export type Variables = ReadonlyMap<string, string>;

const longestLine = 20_000;
const mostReads = 500;
const call =
  /\baws\s+((?:--?[\w-]+(?:[= ]\S{1,200})?\s+){0,10})secretsmanager\s+((?:--?[\w-]+(?:[= ]\S{1,700})?\s+){0,10})(batch-get-secret-value|get-secret-value)\b/g;
const powershell = /\bGet-SECSecretValue\b/g;
const assignment =
  /^\s*(?:export\s+|local\s+|readonly\s+)?([A-Za-z_]\w*)=("[^"]*"|'[^']*'|[^\s;|&]*)\s*(?:$|;|&&|#)/;

/**
 * Finds the calls in a script of a shell that read the values of secrets. Comments, and texts that are printed, are none.
 * @see https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/get-secret-value.html
 */
export function readsIn(script: string, given: Variables = new Map()): readonly ScriptRead[] {
  if (!/secret-value|SECSecretValue/.test(script)) return [];
  const known = new Map(given);
  const found: ScriptRead[] = [];
  for (const { text, line } of commandsOf(script)) {
    const [, name, value = ''] = assignment.exec(text) ?? [];
    if (name !== undefined && !/[`(]/.test(value)) {
      known.set(name, expanded(unquoted(value), known));
      continue;
    }
    for (const read of readsOf(text)) {
      for (const secret of read.secrets) {
        if (found.length >= mostReads) return found;
        const whole = (value: string | undefined): string | undefined =>
          value === undefined ? undefined : expanded(value, known);
        const [region, versionStage, versionId] = [read.region, read.versionStage, read.versionId].map(whole);
        found.push({
          secret: expanded(secret, known),
          line: line + (text.slice(0, read.at).match(/\n/g)?.length ?? 0),
          ...(region !== undefined && !/[$`{]/.test(region) && { region }),
          ...(versionStage !== undefined && { versionStage }),
          ...(versionId !== undefined && { versionId }),
          ...(read.key !== undefined && { key: read.key }),
        });
      }
    }
  }
  return found;
}

/** Puts known values in the place of `$NAME`, `${NAME}` and `${NAME:-default}`. */
export function expanded(text: string, known: Variables): string {
  return text.replaceAll(
    /\$\{([A-Za-z_]\w*)(?::?-([^{}]*))?\}|\$([A-Za-z_]\w*)/g,
    (whole, braced: string | undefined, otherwise: string | undefined, bare: string | undefined) =>
      known.get(braced ?? bare ?? '') ?? otherwise ?? whole,
  );
}

const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/s, '$2');

/** Joins lines that go on behind a backslash, and leaves comments out. */
function commandsOf(script: string): readonly { readonly text: string; readonly line: number }[] {
  const commands: { text: string; line: number }[] = [];
  let goesOn = false;
  for (const [line, text] of script.split('\n').entries()) {
    const plain = (/^\s*#/.test(text) ? '' : text.replace(/\s#\s.*$/, '')).slice(0, longestLine);
    const last = commands.at(-1);
    if (goesOn && last !== undefined && last.text.length < longestLine) last.text += `\n${plain}`;
    else commands.push({ text: plain, line });
    goesOn = /\\\s*$|\s`\s*$/.test(plain);
  }
  return commands;
}

interface CommandRead {
  readonly secrets: readonly string[];
  readonly at: number;
  readonly region?: string | undefined;
  readonly versionStage?: string | undefined;
  readonly versionId?: string | undefined;
  readonly key?: string | undefined;
}

function readsOf(command: string): readonly CommandRead[] {
  const calls = [...command.matchAll(call)].flatMap((match) => {
    const before = command.slice(0, match.index);
    if (isPrinted(before)) return [];
    const { words, rest } = wordsFrom(command.slice(match.index + match[0].length));
    const options = optionsOf([...`${match[1]} ${match[2]}`.split(/\s+/), ...words]);
    const secrets = options.get(match[3] === 'get-secret-value' ? '--secret-id' : '--secret-id-list') ?? [];
    return secrets.length === 0
      ? []
      : [
          {
            secrets,
            at: match.index,
            region: options.get('--region')?.[0],
            versionStage: options.get('--version-stage')?.[0],
            versionId: options.get('--version-id')?.[0],
            key: keyIn(rest, options.get('--query')?.[0]),
          },
        ];
  });
  const cmdlets = [...command.matchAll(powershell)].flatMap((match) => {
    const { words } = wordsFrom(command.slice(match.index + match[0].length));
    const options = optionsOf(
      words.map((word) => (word.toLowerCase().startsWith('-') ? word.toLowerCase() : word)),
    );
    const secrets = options.get('-secretid') ?? [];
    return secrets.length === 0 || isPrinted(command.slice(0, match.index))
      ? []
      : [{ secrets, at: match.index, region: options.get('-region')?.[0] }];
  });
  return [...calls, ...cmdlets];
}

/** Tells whether a command prints what follows, rather than running it. */
const isPrinted = (before: string): boolean =>
  /^\s*(?:echo|printf|Write-Host)\b/.test(before) && !/\$\(|`|&&|;|\|/.test(before);

/** Splits the rest of a command into words, up to a pipe, a bracket, or the quote around it. */
function wordsFrom(text: string): { readonly words: readonly string[]; readonly rest: string } {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  let at = 0;
  for (; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word = (word ?? '') + character;
    } else if (character === '\\' && /["'\n]/.test(text[at + 1] ?? '')) {
      at += 1;
    } else if (character === '"' || character === "'") {
      // A quote behind a word that none closes ends the text that the whole command stands in.
      if (word !== undefined && !word.endsWith('=') && !text.slice(at + 1).includes(character)) break;
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[|;&)>`]/.test(character)) {
      break;
    } else if (text.startsWith('${{', at)) {
      const end = text.indexOf('}}', at);
      const to = end === -1 ? text.length : end + 2;
      word = (word ?? '') + text.slice(at, to);
      at = to - 1;
    } else word = (word ?? '') + character;
  }
  if (word !== undefined) words.push(word);
  return { words, rest: text.slice(at) };
}

/** Reads options with their values, written as `--name value …` or `--name=value`. */
function optionsOf(words: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const options = new Map<string, string[]>();
  let values: string[] = [];
  for (const word of words.filter((one) => one !== '' && one !== '\\')) {
    const [, name, value] = /^(--?[A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) values.push(word);
    else {
      values = value === undefined ? [] : [value];
      options.set(name, values);
    }
  }
  return options;
}

/** Finds the key that a script takes: the first path that jq is told behind the call. */
function keyIn(rest: string, query: string | undefined): string | undefined {
  const [own = ''] = rest.split(/;|&&|\n\s*\n/);
  const plainValue = query !== undefined && /SecretString/.test(query);
  const fromJson = /\.SecretString\s*\|\s*fromjson\s*(?:\||\)?)\s*\.([A-Za-z_][\w.]*)/.exec(own)?.[1];
  if (fromJson !== undefined) return fromJson;
  for (const [, , path = ''] of own
    .slice(0, 2_000)
    .matchAll(/\bjq\s+(?:-[\w-]+\s+){0,5}(["']?)\.("?[A-Za-z_][\w.-]*"?)/g)) {
    const key = path.replaceAll('"', '');
    if (key !== 'SecretString') return plainValue || /SecretString/.test(own) ? key : undefined;
  }
  return undefined;
}

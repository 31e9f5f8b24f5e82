/**
 * Makes a test of a pattern of paths. `*` and `?` stand for characters of one name, `**` for any number of names. Names that begin
 * with a dot are names like others, since secrets like to stand in them.
 */
export function patternTest(pattern: string): (path: string) => boolean {
  const source = pattern
    .replaceAll(/\*{3,}/g, '**')
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => meanings[part] ?? part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
    .join('');
  const whole = new RegExp(`^${source}$`, 'su');
  return (path) => whole.test(path);
}

const meanings: Readonly<Record<string, string>> = {
  '**/': '(?:[^/]*/)*',
  '**': '.*',
  '*': '[^/]*',
  '?': '[^/]',
};

/** Characters below which a value is guessed within a day of lookups. */
const shortest = 8;
/** Different characters that a value must have. */
const fewestDifferent = 5;

/** Words that people make passwords of. Digits and signs around them do not help. */
const words: ReadonlySet<string> = new Set([
  ...['admin', 'administrator', 'changeit', 'changeme', 'correcthorsebatterystaple', 'default', 'example'],
  ...['foobar', 'guest', 'hello', 'iloveyou', 'letmein', 'login', 'manager', 'monkey', 'mysql', 'oracle'],
  ...['passw', 'password', 'passwort', 'postgres', 'postgresql', 'qwerty', 'qwertyuiop', 'qwertz', 'redis'],
  ...['root', 'secret', 'secretpassword', 'sunshine', 'superman', 'superuser', 'supersecret', 'system'],
  ...['temp', 'temporary', 'test', 'testing', 'trustno', 'user', 'username', 'welcome', 'abc', 'abcdefgh'],
  ...['adminpassword', 'mypassword', 'newpassword', 'testpassword', 'rootpassword', 'passwordpassword'],
]);

/** Signs and digits that stand for letters. */
const letters: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's' };
const signs: Readonly<Record<string, string>> = { '@': 'a', $: 's', '!': 'i', ...letters };

const bare = (text: string): string => text.replaceAll(/[^a-z]/g, '');

/**
 * Tells whether a value is one that many people would think of. Such a value gets no fingerprint: who may look values up
 * could find out by guessing which secret has it, and found in a public place it says nothing of where it came from.
 *
 * It knows the worst only. What it lets pass is guarded by the limit on lookups and by their records.
 */
export function isGuessable(value: string): boolean {
  const characters = [...value];
  if (characters.length < shortest || new Set(characters).size < fewestDifferent) return true;
  const small = value.toLowerCase();
  const spelled = [...small.replace(/[\d\W_]+$/, '')].map((one) => signs[one] ?? one).join('');
  return words.has(bare(small)) || words.has(bare(spelled)) || isRun(small);
}

/** Tells whether each character follows the one before, as in `12345678`. */
function isRun(text: string): boolean {
  const steps = new Set(
    [...text].slice(1).map((one, index) => (one.codePointAt(0) ?? 0) - (text.codePointAt(index) ?? 0)),
  );
  const [step = 0] = steps;
  return steps.size === 1 && Math.abs(step) <= 1;
}

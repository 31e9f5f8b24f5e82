import { describe, expect, test } from '@jest/globals';
import { prepare, scramVerifier } from '../../../rotators/postgresql/scram.ts';

describe('scramVerifier', () => {
  test('yields the keys of the example in RFC 7677', async () => {
    // The RFC gives the client's proof and the server's signature for user "user" and password "pencil".
    const { createHmac, createHash } = await import('node:crypto');
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const verifier = await scramVerifier('pencil', salt, 4096);
    const match = /^SCRAM-SHA-256\$4096:([^$]+)\$([^:]+):(.+)$/.exec(verifier);
    const [, saltText = '', storedKey = '', serverKey = ''] = match ?? [];
    expect(saltText).toBe('W22ZaJ0SNY7soEsUEjb6gQ==');
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${saltText},i=4096,c=biws,r=${nonce}`;
    const hmac = (key: Buffer) => createHmac('sha256', key).update(message).digest();
    expect(hmac(Buffer.from(serverKey, 'base64')).toString('base64')).toBe(
      '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    );
    const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
    const signature = hmac(Buffer.from(storedKey, 'base64'));
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0)));
    expect(createHash('sha256').update(clientKey).digest('base64')).toBe(storedKey);
  });
});

describe('prepare', () => {
  test.each([
    ['ASCII as it is', 'a b\tc\u0007', 'a b\tc\u0007', true],
    ['spaces of other scripts as a space', 'a\u00A0b\u3000c', 'a b c', true],
    ['a soft hyphen as nothing', 'pass\u00ADword', 'password', true],
    ['compatible forms as one', 'ﬁ Ⅸ', 'fi IX', true],
    ['decomposed letters composed', 'e\u0301', '\u00E9', true],
    ['what SASLprep prohibits as it is', 'é\u0007', 'é\u0007', true],
    ['what SASLprep does not know as it is', 'pass 🙂 word', 'pass 🙂 word', true],
    ['mixed directions as they are', 'ا1b', 'ا1b', true],
    ['what is prohibited and would change with other clients, but says so', 'ﬁ🙂', 'ﬁ🙂', false],
    ['what would be nothing, but says so', '\u00AD\u00AD', '\u00AD\u00AD', false],
  ])('takes %s', async (_name, password, text, portable) => {
    expect(await prepare(password)).toEqual({ text, portable });
  });
});

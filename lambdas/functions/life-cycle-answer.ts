import { RekeyError } from '../../core/errors/rekey-error.ts';

/**
 * Stores the answer to CloudFormation where it waits for it.
 * @throws RekeyError `AnswerNotStored`
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
 */
export async function storeAnswer(responseUrl: string, answer: object): Promise<void> {
  // The URL is signed without a content type, so none may be sent.
  const response = await fetch(responseUrl, {
    method: 'PUT',
    headers: { 'content-type': '' },
    body: JSON.stringify(answer),
  });
  if (!response.ok) {
    throw new RekeyError(
      'AnswerNotStored',
      `the answer for CloudFormation could not be stored (HTTP ${response.status}); Lambda sends it again`,
    );
  }
}

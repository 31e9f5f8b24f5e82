import { paginateGetParametersByPath, type SSMClient } from '@aws-sdk/client-ssm';
import { awsError } from './aws-error.ts';

/** An SSM parameter as it is listed. */
export interface ListedParameter {
  readonly name: string;
  readonly value: string;
}

/**
 * Lists the parameters right below a path, with their values.
 * @throws RekeyError as AWS answers
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
 */
export async function parametersBelow(client: SSMClient, path: string): Promise<readonly ListedParameter[]> {
  const listed: ListedParameter[] = [];
  try {
    for await (const { Parameters = [] } of paginateGetParametersByPath({ client }, { Path: path })) {
      listed.push(...Parameters.map(({ Name = '', Value = '' }) => ({ name: Name, value: Value })));
    }
  } catch (error) {
    throw awsError(error, { service: 'Systems Manager', action: 'ssm:GetParametersByPath', on: path });
  }
  return listed;
}

import { GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { FunctionState, Functions } from '../../core/operator-ports.ts';

/**
 * The states of Lambda functions.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 */
export class LambdaFunctions implements Functions {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async inspect(functionArn: string): Promise<FunctionState | undefined> {
    try {
      const found = await this.#client.send(
        new GetFunctionConfigurationCommand({ FunctionName: functionArn }),
      );
      const reason = found.StateReason ?? found.LastUpdateStatusReason;
      return {
        name: found.FunctionName ?? functionArn,
        state: found.State ?? 'Active',
        ...(reason !== undefined && { reason }),
        logGroup: found.LoggingConfig?.LogGroup ?? `/aws/lambda/${found.FunctionName ?? functionArn}`,
        securityGroups: found.VpcConfig?.SecurityGroupIds ?? [],
        ...(found.LastUpdateStatus !== undefined && { lastUpdateStatus: found.LastUpdateStatus }),
      };
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') {
        return undefined;
      }
      throw error;
    }
  }
}
